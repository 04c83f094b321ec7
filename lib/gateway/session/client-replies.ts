import { Logger } from '@nestjs/common';
import type { CloseCodeName } from '../../core/protocol/close-code.js';
import type { CommandId } from '../../core/protocol/command.js';
import type { WireError } from '../../core/protocol/error-code.js';
import type { Push } from '../../core/protocol/push.js';
import { TokenBucket } from '../../core/base/token-bucket.js';
import type { ConnectionSocket } from '../../ports/connection-socket.js';
import { Frame } from '../../ports/frame.js';
import type { SessionServices } from './session-services.js';

const logger = new Logger('RealtimeGateway');

const UNWRITABLE = { code: 'INTERNAL', message: 'The server failed to handle this; its log has the reason.' } as const;

/** What one client is told about its connection and its commands. */
export class ClientReplies {
  /** Only there once the client has made a mistake. */
  #mistakes: TokenBucket | undefined;

  /**
   * @param owner ended when the client has made one mistake too many
   */
  constructor(
    private readonly socket: ConnectionSocket,
    private readonly services: Pick<SessionServices, 'clock' | 'timestamps' | 'mistakeRate'>,
    private readonly owner: { disconnect(code: CloseCodeName): void },
  ) {}

  /** Throws when a reply cannot be written. */
  push(push: Push): void {
    const text = this.socket.codec.encodePush(push, this.services.timestamps.now());
    if (text !== undefined) this.socket.send(new Frame(text));
  }

  /** Says that something failed; with an id, it is the answer to that command. */
  fail(error: WireError, id?: CommandId): void {
    const identified = id !== undefined && { id };
    try {
      this.push({ kind: 'error', error, ...identified });
    } catch (cause) {
      // An error of the application may have details that the codec cannot write; then the client is told less.
      logger.error(`An error with the code ${error.code} could not be written`, (cause as Error)?.stack);
      const { action, topic } = error;
      const at = { ...(action !== undefined && { action }), ...(topic !== undefined && { topic }) };
      this.push({ kind: 'error', error: { ...UNWRITABLE, ...at }, ...identified });
    }
  }

  /** Says that the client did what it should have known not to do; one time too many ends the connection. */
  refuse(error: WireError, id?: CommandId): void {
    this.fail(error, id);
    const now = this.services.clock.now();
    this.#mistakes ??= new TokenBucket(this.services.mistakeRate, now);
    if (this.#mistakes.take(now) === 0) return;
    this.owner.disconnect(error.code === 'RATE_LIMITED' ? 'TOO_MANY_REQUESTS' : 'TOO_MANY_ERRORS');
  }
}
