import { Logger } from '@nestjs/common';
import type { WebSocket } from 'ws';
import { CLOSE_CODES, type CloseCodeName } from '../../core/protocol/close-code.js';
import type { AuthCommand, Command, CommandId } from '../../core/protocol/command.js';
import { connectionIdOn } from '../../core/connection/connection-id.js';
import { createConnection, haveSameRights, type RealtimeConnection } from '../../core/connection/connection.js';
import type { RightsOrder } from '../../core/routing/envelope.js';
import type { StreamPosition } from '../../core/history/history.js';
import { personalTopic } from '../../core/topic/reserved-topic.js';
import { Liveness } from '../../core/connection/liveness.js';
import { TokenBucket } from '../../core/base/token-bucket.js';
import type { DeliveryTarget } from '../../delivery/delivery-target.js';
import { toWireError } from '../../handlers/wire-error.js';
import type { Authenticated } from '../../ports/authenticator.js';
import type { Codec, Decoded } from '../../ports/codec.js';
import { asReason, closeCodeOf } from './close-reason.js';
import { CommandLoop } from './command-loop.js';
import type { HeartbeatTick } from './heartbeat.js';
import { ClientReplies } from './client-replies.js';
import { PersonalTopicSubscription } from './personal-topic-subscription.js';
import type { SessionServices } from './session-services.js';
import { SessionToken } from '../auth/session-token.js';
import { endFailed } from './sessions.js';
import { WsConnectionSocket, type WriteShare } from '../socket/ws-connection-socket.js';

const logger = new Logger('RealtimeGateway');

/** Who was let in; or, somebody who is still to say who it is. */
export type Admitted = Authenticated | UnauthenticatedPeer;

/** Somebody whose first command is to say who it is. */
export interface UnauthenticatedPeer {
  /** To be called once that is known. */
  readonly onAuthenticated: () => void;
  /** The token of the upgrade request, which nobody has looked at. */
  readonly token: string | undefined;
}

type Phase =
  /** Nothing but `auth` is listened to. */
  | 'anonymous'
  /** From then until the welcome nothing is read, and nothing else is said. */
  | 'admitting'
  /** Welcome; commands wait until the application's hooks have run. */
  | 'opening'
  | 'open'
  | 'closed';

/** The life of one WebSocket, from the upgrade to the last hook: who it is, whether it still lives, and how it ends. */
export class Session implements DeliveryTarget {
  readonly socket: WsConnectionSocket;
  readonly replies: ClientReplies;
  readonly #loop: CommandLoop;
  readonly #token: SessionToken;
  readonly #pulse = new Liveness();
  readonly #commands: TokenBucket;
  #phase: Phase = 'anonymous';
  #connection: RealtimeConnection | undefined;
  #stranger: UnauthenticatedPeer | undefined;
  #anonymousTicks = 0;
  /** How many pings wait for the commands that answer them. */
  #pongsDue = 0;
  #isRetiring = false;
  #hooks: Promise<void> | undefined;
  /** What came in with the token, in the same piece, before reading could be stopped. */
  #early: Decoded[] | undefined;
  #isGone = false;
  #onGone: (() => void)[] | undefined;

  constructor(
    private readonly ws: WebSocket,
    codec: Codec,
    share: WriteShare,
    private readonly services: SessionServices,
  ) {
    const { clock, commandRate, openingRate } = services;
    this.socket = new WsConnectionSocket(ws, codec, share, this);
    this.replies = new ClientReplies(this.socket, services, this);
    this.#loop = new CommandLoop(this, services);
    this.#token = new SessionToken(this, services);
    this.#commands = new TokenBucket(codec.clientOpens ? openingRate : commandRate, clock.now());
  }

  /** The present snapshot. Only there once somebody has authenticated. */
  get connection(): RealtimeConnection {
    return this.#connection!;
  }

  get hasPersonalTopic(): boolean {
    return PersonalTopicSubscription.isFor(this.socket.codec, this.services);
  }

  get isClosed(): boolean {
    return this.#phase === 'closed';
  }

  /** Resolves once the socket is gone and the application's hooks have run. */
  get gone(): Promise<void> {
    return new Promise((resolve) => (this.#isGone ? resolve() : (this.#onGone ??= []).push(resolve)));
  }

  open(admitted: Admitted): void {
    if ('onAuthenticated' in admitted) this.#stranger = admitted;
    else this.#run(this.#admit(admitted));
  }

  receive(data: Buffer, isBinary: boolean): void {
    if (this.isClosed) return;
    this.heard();
    const decoded = isBinary ? BINARY : this.socket.codec.decode(data.toString());
    if (!('batch' in decoded)) return this.#hear(decoded);
    for (const each of decoded.batch) {
      this.#hear(each);
      // The rest stays undecoded.
      if (this.isClosed) return;
    }
  }

  #hear(decoded: Decoded): void {
    if (this.isClosed) return;
    if (this.#phase === 'admitting') return void (this.#early ??= []).push(decoded);
    const { isStrict } = this.socket.codec;
    if (isStrict && !decoded.ok && decoded.id === undefined) {
      return this.disconnect('BAD_REQUEST', asReason(decoded.error.message));
    }
    const waitMs = this.#commands.take(this.services.clock.now());
    if (waitMs > 0) {
      const message = 'Too many commands in too short a time; this one was not carried out.';
      this.replies.refuse({ code: 'RATE_LIMITED', message, retryAfterMs: waitMs }, idOf(decoded));
    } else if (this.#phase === 'anonymous' && !opens(decoded)) {
      const message = 'Authenticate first: {"action":"auth","token":"…"}.';
      if (!isStrict) this.replies.fail({ code: 'UNAUTHENTICATED', message }, idOf(decoded));
      this.disconnect('BAD_REQUEST', 'authenticate first');
    } else if (!decoded.ok) this.replies.refuse(decoded.error, decoded.id);
    else this.#take(decoded.command);
  }

  /** The peer lives. */
  heard(): void {
    this.#pulse.heard();
  }

  pauseReading(): void {
    if (!this.isClosed) this.ws.pause();
  }

  resumeReading(): void {
    if (this.ws.isPaused && !this.#isRetiring) this.ws.resume();
  }

  disconnect(name: CloseCodeName, reason: string = CLOSE_CODES[name].reason): void {
    if (this.isClosed) return;
    this.#finish(CLOSE_CODES[name].code, reason);
    this.socket.close(name, reason);
  }

  /** The peer does not take what is written to it. */
  tooSlow(): void {
    this.disconnect('SLOW');
  }

  /** Reads no more commands, answers those that were read, and asks the client to go elsewhere. */
  retire(): void {
    this.#isRetiring = true;
    this.pauseReading();
    this.#run(this.#loop.finish().then(() => this.disconnect('SHUTDOWN')));
  }

  subscribe(topic: string): boolean | Promise<boolean> {
    return this.#loop.subscriptions.subscribeByServer(topic);
  }

  unsubscribe(topic: string, reason: string): boolean {
    return this.#loop.subscriptions.unsubscribeByServer(topic, reason);
  }

  missed(topic: string, position: StreamPosition): void {
    // A client cannot begin it again but by connecting anew.
    if (topic === personalTopic(this.connection.userId)) return this.disconnect('INSUFFICIENT_STATE');
    const byServer = this.#loop.subscriptions.isChosenByServer(topic);
    this.replies.push({ kind: 'subscribed', topic, position, recovered: false, ...(byServer && { byServer }) });
  }

  async changeRights({ roles, permissions }: Omit<RightsOrder, 'kind'>): Promise<void> {
    if (this.isClosed) return;
    const { connection } = this;
    await this.#replace(
      createConnection({
        ...connection,
        roles: roles ?? connection.roles,
        permissions: permissions ?? connection.permissions,
      }),
    );
  }

  revalidate(): void {
    this.#run(this.#token.endIfRevoked());
  }

  /** Ends the socket at once. */
  terminate(): void {
    this.#finish(CLOSE_CODES.DISCONNECTED.code, CLOSE_CODES.DISCONNECTED.reason);
    this.socket.terminate();
  }

  /** The socket has closed, by whomever. Resolves when the application's hooks have run. */
  async ended(code: number, reason: string): Promise<void> {
    this.socket.closed();
    this.#finish(code, reason);
    await this.#hooks;
    this.#isGone = true;
    this.#onGone?.forEach((resolve) => resolve());
  }

  /** Called at a steady pace. */
  tick(beat: HeartbeatTick): void {
    if (this.isClosed) return;
    if (this.socket.isStalled(beat.stallTicks)) return this.socket.giveUp();
    if (this.#phase === 'anonymous' && ++this.#anonymousTicks > beat.authTicks) return this.disconnect('STALE');
    const expiresAt = this.#connection?.expiresAt;
    if (expiresAt && this.#token.hasExpired(expiresAt, beat.now)) return this.disconnect('EXPIRED');
    this.#loop.subscriptions.expire(beat.now);
    switch (this.#pulse.beat(beat, Math.random(), !this.ws.isPaused)) {
      case 'dead':
        return this.disconnect('NO_PONG');
      case 'stuck':
        return this.disconnect('SERVER_ERROR', 'commands are stuck behind a handler');
      case 'ping':
        return this.#ping(beat);
      case 'none':
        return;
    }
  }

  #ping({ pings }: HeartbeatTick): void {
    const { codec } = this.socket;
    if (this.#connection && codec.answersPings) this.#pongsDue += 1;
    else this.ws.ping();
    const frame = pings.get(codec);
    if (this.#connection && frame) this.socket.send(frame);
  }

  #take(command: Command): void {
    switch (command.action) {
      case 'auth':
        if (this.#phase === 'anonymous') this.#run(this.#authenticate(command));
        else if (command.stage === 'opening') this.disconnect('BAD_REQUEST', 'authenticated already');
        else this.#run(this.#renew(command));
        return;
      case 'ping':
        if (command.id !== undefined) this.replies.push({ kind: 'pong', id: command.id });
        return;
      case 'pong':
        if (this.#pongsDue === 0) this.disconnect('BAD_REQUEST', 'answered a ping that was not sent');
        else this.#pongsDue -= 1;
        return;
      case 'cancel':
        this.#loop.cancel(command.id);
        return;
      default:
        this.#loop.accept(command);
    }
  }

  /** What goes on by itself must not end the process when it fails. */
  #run(work: Promise<void>): void {
    work.catch((error: unknown) => endFailed(this, error));
  }

  /** The token as the first command. */
  async #authenticate(command: AuthCommand): Promise<void> {
    const token = command.token || this.#stranger?.token;
    if (token === undefined) return this.disconnect('BAD_REQUEST', 'a token is required');
    this.#phase = 'admitting';
    this.pauseReading();
    const { authentication } = this.services;
    const verified = await authentication.first({ ...command, token });
    if (this.isClosed) return;
    this.#stranger?.onAuthenticated();
    this.#stranger = undefined;
    const outcome = authentication.withinLimit(verified);
    if (!outcome.ok) {
      this.replies.fail(outcome.error, command.id);
      return this.disconnect(outcome.closeCode);
    }
    this.#confirm(command, outcome.authenticated);
    await this.#admit(outcome.authenticated, command);
  }

  /** A newer token for the same user: roles, permissions and the time of expiry follow it, and topics are judged anew. */
  async #renew(command: AuthCommand): Promise<void> {
    const renewed = await this.#token.renew(command);
    if (renewed) await this.#replace(renewed.connection, () => this.#confirm(command, renewed.authenticated));
  }

  /** Puts a newer snapshot in place, and judges topics anew when it may more or less than the one before. */
  async #replace(connection: RealtimeConnection, confirm?: () => void): Promise<void> {
    const before = this.connection;
    this.#connection = connection;
    if (!(await this.#inForce(this.services.membership.update(connection)))) return;
    confirm?.();
    if (!haveSameRights(before, connection)) this.#run(this.#loop.subscriptions.reauthorize());
  }

  #confirm({ id }: AuthCommand, authenticated: Authenticated): void {
    if (id === undefined) return;
    const { userId } = authenticated.identity;
    this.replies.push({ kind: 'authenticated', id, userId, ...this.#token.endOf(authenticated) });
  }

  /** @param command the one that brought the token, if one did */
  async #admit(authenticated: Authenticated, command?: AuthCommand): Promise<void> {
    const { identity, expiresAt } = authenticated;
    const { settings, events, dispatcher, clock, ids, node } = this.services;
    const { maxMessageBytes } = settings.limits;
    this.#phase = 'admitting';
    this.#token.accept(authenticated);
    const connection = createConnection({
      id: connectionIdOn(node.id, ids.next()),
      ...identity,
      createdAt: new Date(clock.now()),
      ...(expiresAt && { expiresAt }),
    });
    this.#connection = connection;
    const personal = this.hasPersonalTopic ? new PersonalTopicSubscription(connection, this.services) : undefined;
    const joined = this.#join(connection, personal, command);
    if (joined) {
      // Reachable by now, but what is said in the welcome is not in force yet.
      this.pauseReading();
      this.socket.hold();
      if (!(await this.#inForce(joined))) return;
    }
    this.socket.release(() => {
      this.replies.push({
        kind: 'welcome',
        ...(command?.id !== undefined && { answers: command.id }),
        connectionId: connection.id,
        userId: connection.userId,
        ...this.#token.endOf(authenticated),
        heartbeatMs: settings.heartbeat.intervalMs,
        ...(Number.isFinite(maxMessageBytes) && { maxMessageBytes }),
        ...personal?.news,
      });
      personal?.sendMissed(this.socket);
    });
    // It may have been too much for the client.
    if (this.isClosed) return;
    this.#phase = 'opening';
    const connected = dispatcher.connected(this.connection);
    // From here on the end is announced, however soon it comes: a listener or an early frame may bring it about.
    this.#hooks = connected.catch(() => undefined);
    events.emit({ type: 'connected', connection: this.connection });
    this.#hearEarly();
    try {
      await connected;
    } catch (error) {
      const { code, message } = toWireError(error);
      this.disconnect(closeCodeOf(code), asReason(message));
    }
    if (this.isClosed) return;
    this.#phase = 'open';
    this.services.presence.opened(this.connection);
    this.#loop.start();
  }

  /** Makes the connection reachable; with a topic of the user's own, also by what is kept there. */
  #join(
    connection: RealtimeConnection,
    personal: PersonalTopicSubscription | undefined,
    command: AuthCommand | undefined,
  ): void | Promise<unknown> {
    const joined = this.services.membership.add(connection, this);
    if (personal === undefined) return joined;
    const asked = command?.recover?.get(personal.topic);
    return joined ? joined.then(() => personal.enter(asked)) : personal.enter(asked);
  }

  #hearEarly(): void {
    this.resumeReading();
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const decoded of early) this.#hear(decoded);
  }

  /** Waits until a change has reached the bus. @returns false when the session has ended meanwhile, or because that failed */
  async #inForce(change: void | Promise<unknown>): Promise<boolean> {
    try {
      if (change) await change;
    } catch (error) {
      logger.error('The bus could not be joined', (error as Error)?.stack);
      this.disconnect('SERVER_ERROR');
    }
    return !this.isClosed;
  }

  /** Makes the connection unreachable at once; hooks follow in their own time. */
  #finish(code: number, reason: string): void {
    if (this.isClosed) return;
    this.#phase = 'closed';
    this.#loop.stop();
    // A paused socket would never read the peer's part of the closing handshake.
    this.ws.resume();
    const connection = this.#connection;
    if (connection === undefined) return;
    const topics = this.services.membership.remove(connection.id);
    this.services.presence.ended(connection, topics, code);
    if (this.#hooks) this.#hooks = this.#farewell(this.#hooks, connection, topics, { code, reason });
  }

  /** The leaving hooks, after the entering ones; a connection that no hook was told of leaves unannounced. */
  async #farewell(
    entered: Promise<void>,
    connection: RealtimeConnection,
    topics: readonly string[],
    close: { readonly code: number; readonly reason: string },
  ): Promise<void> {
    const { events, dispatcher } = this.services;
    await entered;
    for (const topic of topics) {
      events.emit({ type: 'unsubscribed', connection, topic });
      await dispatcher.unsubscribed(connection, topic);
    }
    events.emit({ type: 'disconnected', connection, ...close });
    await dispatcher.disconnected(connection, close);
  }
}

const BINARY = {
  ok: false,
  id: undefined,
  error: { code: 'INVALID_MESSAGE', message: 'Only text frames are understood.' },
} as const;

/** True for what may be a client's first command. */
function opens(decoded: Decoded): boolean {
  return decoded.ok && decoded.command.action === 'auth' && decoded.command.stage !== 'renewal';
}

function idOf(decoded: Decoded): CommandId | undefined {
  return decoded.ok ? decoded.command.id : decoded.id;
}
