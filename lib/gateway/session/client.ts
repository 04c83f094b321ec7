import type { RealtimeConnection } from '../../core/connection/connection.js';
import type { ReadingPause } from '../../core/connection/reading-pause.js';
import type { ClientAllowance } from '../../core/protocol/client-allowance.js';
import type { CloseCodeName } from '../../core/protocol/close-code.js';
import type { ClientReplies } from './client-replies.js';

/** An authenticated client, as the parts of its session see it. */
export interface Client {
  /** The present snapshot; a later change of roles or permissions replaces it. */
  readonly connection: RealtimeConnection;
  /** IP address of the client, if known. */
  readonly address?: string | undefined;
  /** The context of the span of its upgrade, as `traceparent`, if it was traced. */
  readonly trace?: string | undefined;
  /** True once the connection has begun to close: no command is executed or answered any more. */
  readonly isClosed: boolean;
  readonly replies: ClientReplies;
  /** Its rate limits, which it shares with later connections of the same user. */
  readonly allowance: ClientAllowance;
  /** Stops reading from the socket, so that TCP backpressure reaches the client. */
  pauseReading(reason: ReadingPause): void;
  /** Ends one reason for not reading; the socket is read again when none is left. */
  resumeReading(reason: ReadingPause): void;
  /** Reports that the number of waiting commands has changed; they count against the memory of the node. */
  waitingChanged(): void;
  /**
   * Returns nothing while the client reads as fast as it is sent to, else a promise for when it has caught up. It is never
   * fulfilled when the connection ends before.
   */
  drained(): Promise<void> | undefined;
  /** Ends the connection. @param reason prose; default: the text of the close code */
  disconnect(code: CloseCodeName, reason?: string): void;
}
