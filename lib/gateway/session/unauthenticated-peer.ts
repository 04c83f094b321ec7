import type { AuthCommand } from '../../core/protocol/command.js';
import type { Authenticated } from '../../ports/authenticator.js';
import type { ConnectInfo } from '../../ports/connect-info.js';
import type { AuthCommands, FirstOutcome } from '../auth/auth-commands.js';
import type { Endpoint } from './endpoint.js';

/** An upgrade that was accepted without checking its token: the first command has to authenticate. */
export interface PendingAuthentication {
  /**
   * Called once with the outcome of the first command: frees the place that the connection took among the unauthenticated.
   * @returns the outcome, or a refusal while the node accepts no more connections
   */
  readonly judged: (outcome: FirstOutcome) => FirstOutcome;
  /** The unverified token of the upgrade request. */
  readonly token: string | undefined;
  /** Holds the request, which goes with the peer once it is authenticated. */
  readonly info: ConnectInfo;
}

/** The endpoint of a connection that is not authenticated yet. */
export interface UnauthenticatedEndpoint extends Pick<Endpoint, 'isClosed' | 'replies' | 'disconnect'> {
  /** Stops reading and keeps the frames that have come in already. */
  suspend(): void;
  /** Serves the connection; called in the turn in which the limit of connections was checked. */
  serve(authenticated: Authenticated, command: AuthCommand): void | Promise<void>;
}

/** A connection before authentication: its timeout and its first command. */
export class UnauthenticatedPeer {
  #ticks = 0;

  constructor(
    private readonly pending: PendingAuthentication,
    private readonly endpoint: UnauthenticatedEndpoint,
    private readonly authCommands: Pick<AuthCommands, 'first' | 'withinLimit'>,
  ) {}

  /** Counts one tick. @returns true when the time for the first command is over */
  isLate(maxTicks: number): boolean {
    return ++this.#ticks > maxTicks;
  }

  /** Carries out the first command: the connection is served, or ends. */
  async authenticate(command: AuthCommand): Promise<void> {
    const { endpoint, pending, authCommands } = this;
    const token = command.token || pending.token;
    if (token === undefined) return endpoint.disconnect('BAD_REQUEST', 'a token is required');
    endpoint.suspend();
    const verified = await authCommands.first({ ...command, token }, pending.info);
    if (endpoint.isClosed) return;
    const outcome = pending.judged(authCommands.withinLimit(verified));
    if (outcome.ok) return endpoint.serve(outcome.authenticated, command);
    endpoint.replies.fail(outcome.error, command.id);
    endpoint.disconnect(outcome.closeCode);
  }
}
