import type { Decoded } from './decoded.js';
import type { WireError } from './error-code.js';

/** How far a connection has come, as far as its frames are concerned. */
export type FramePhase =
  /** The first command has to authenticate. */
  | 'unauthenticated'
  /** The token is being verified, or the connection is not reachable yet: frames wait for the welcome, undecoded. */
  | 'starting'
  /** The client was welcomed, and commands are carried out. */
  | 'serving'
  /** The end has begun. */
  | 'closed';

/** The decision on a decoded frame: drop it, carry it out, answer with an error, or close the connection. */
export type FrameVerdict = 'ignore' | 'run' | FrameRefusal | FrameClose;

/** The frame is answered with an error, which counts against the client. */
export interface FrameRefusal {
  readonly kind: 'refuse';
  readonly error: WireError;
}

/** The connection is closed as `BAD_REQUEST`. */
export interface FrameClose {
  readonly kind: 'close';
  /** Prose of any length, for the close frame. */
  readonly reason: string;
  /** An answer that goes before the close frame. */
  readonly error?: WireError;
}

/**
 * Decides what happens to a decoded frame. Allocates nothing for a frame that is carried out.
 * @param isStrict true where the protocol cannot answer a frame that is no command, so that such a frame ends the connection
 * @param waitMs how long the client has to wait by the rate limit, in milliseconds; 0 when the frame is within the limit
 */
export function judgeFrame(
  phase: Exclude<FramePhase, 'starting'>,
  decoded: Decoded,
  isStrict: boolean,
  waitMs: number,
): FrameVerdict {
  if (phase === 'closed') return 'ignore';
  if (isStrict && !decoded.ok && decoded.id === undefined) return { kind: 'close', reason: decoded.error.message };
  if (waitMs > 0) return { kind: 'refuse', error: { ...TOO_FAST, retryAfterMs: waitMs } };
  if (phase === 'unauthenticated' && !isOpening(decoded)) return isStrict ? UNAUTHENTICATED_STRICT : UNAUTHENTICATED;
  if (!decoded.ok) return { kind: 'refuse', error: decoded.error };
  const { command } = decoded;
  const isLateOpening = phase === 'serving' && command.action === 'auth' && command.stage === 'opening';
  return isLateOpening ? AUTHENTICATED_ALREADY : 'run';
}

/** True for a command that may be a client's first. */
function isOpening(decoded: Decoded): boolean {
  return decoded.ok && decoded.command.action === 'auth' && decoded.command.stage !== 'renewal';
}

const TOO_FAST: WireError = {
  code: 'RATE_LIMITED',
  message: 'Too many commands in too short a time; this one was not carried out.',
};
const UNAUTHENTICATED_STRICT: FrameClose = { kind: 'close', reason: 'authenticate first' };
const UNAUTHENTICATED: FrameClose = {
  ...UNAUTHENTICATED_STRICT,
  error: { code: 'UNAUTHENTICATED', message: 'Authenticate first: {"action":"auth","token":"…"}.' },
};
const AUTHENTICATED_ALREADY: FrameClose = { kind: 'close', reason: 'authenticated already' };
