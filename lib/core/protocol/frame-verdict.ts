import type { Command } from './command.js';
import type { Blame, Decoded } from './decoded.js';
import type { WireError } from './error-code.js';

/** The phase of a connection, which decides what happens to its frames. */
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

/** The frame is answered with an error. */
export interface FrameRefusal {
  readonly kind: 'refuse';
  readonly error: WireError;
  /** Whether it counts against the client. */
  readonly blame: Blame;
}

/** The connection is closed as `BAD_REQUEST`. */
export interface FrameClose {
  readonly kind: 'close';
  /** Prose of any length, for the close frame. */
  readonly reason: string;
  /** An answer that goes before the close frame. */
  readonly error?: WireError;
}

/** A command above the rate limit. Whether it is a violation is decided elsewhere. */
export interface Excess {
  /** When the client may try again, in milliseconds. */
  readonly retryAfterMs: number;
  /** True for a subscription for which the connection has no room: a retry would be refused too. */
  readonly isWithoutRoom: boolean;
}

/**
 * Decides what happens to a decoded frame. Allocates nothing for a frame that is carried out. Above the rate limit, commands that
 * end something are carried out all the same: the command that began it was counted, and a client whose unsubscribe is refused
 * would keep a subscription that it no longer wants.
 * @param isStrict true where the protocol cannot answer a frame that is no command, so that such a frame ends the connection
 * @param excess present when the frame exceeds the rate limit of the client
 * @param maxBytes the size limit of the command, present when the command exceeds it
 */
export function judgeFrame(
  phase: Exclude<FramePhase, 'starting'>,
  decoded: Decoded,
  isStrict: boolean,
  excess?: Excess,
  maxBytes?: number,
): FrameVerdict {
  if (phase === 'closed') return 'ignore';
  if (isStrict && !decoded.ok && decoded.id === undefined) return { kind: 'close', reason: decoded.error.message };
  if (phase === 'unauthenticated' && !isOpening(decoded)) return isStrict ? UNAUTHENTICATED_STRICT : UNAUTHENTICATED;
  if (excess && !isEnding(decoded)) return refusalOf(excess, decoded);
  if (!decoded.ok) return { kind: 'refuse', error: decoded.error, blame: decoded.blame ?? 'always' };
  const { command } = decoded;
  if (maxBytes !== undefined) return tooLarge(command, maxBytes);
  const isLateOpening = phase === 'serving' && command.action === 'auth' && command.stage === 'opening';
  return isLateOpening ? AUTHENTICATED_ALREADY : 'run';
}

/** Returns the error for a subscription above `maxTopicsPerConnection`. */
export function noRoomFor(topic: string): WireError {
  return { code: 'LIMIT_EXCEEDED', message: NO_ROOM, action: 'subscribe', topic };
}

function tooLarge(command: Command, maxBytes: number): FrameRefusal {
  const message = `The command is larger than the ${maxBytes} bytes that it may have.`;
  const topic = 'topic' in command ? { topic: command.topic } : {};
  return {
    kind: 'refuse',
    error: { code: 'LIMIT_EXCEEDED', message, action: command.action, ...topic },
    blame: 'always',
  };
}

function refusalOf({ retryAfterMs, isWithoutRoom }: Excess, decoded: Decoded): FrameRefusal {
  const isFinal = isWithoutRoom && decoded.ok && decoded.command.action === 'subscribe';
  const error = isFinal ? noRoomFor(decoded.command.topic) : { ...TOO_FAST, retryAfterMs };
  return { kind: 'refuse', error, blame: isMistake(decoded) ? 'always' : 'never' };
}

/** True for a frame that is wrong at any pace, so that it is a violation while it is refused as too fast as well. */
export function isMistake(decoded: Decoded): boolean {
  return !decoded.ok && (decoded.blame ?? 'always') === 'always';
}

/** True for a command that ends something, or that answers the server. */
export function isEnding(decoded: Decoded): boolean {
  if (!decoded.ok) return false;
  const { action } = decoded.command;
  return action === 'unsubscribe' || action === 'cancel' || action === 'pong';
}

/** True for a command that may be a client's first. */
function isOpening(decoded: Decoded): boolean {
  return decoded.ok && decoded.command.action === 'auth' && decoded.command.stage !== 'renewal';
}

const NO_ROOM = 'The connection is subscribed to as many topics as one may have.';

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
