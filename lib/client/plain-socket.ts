import type { Listener } from './listener.js';

/** The parts of a `WebSocket` that are used: of a browser, of Node, or of the package `ws`. */
export interface PlainSocket {
  /** 0 connecting, 1 open, 2 closing, 3 closed. */
  readonly readyState: number;
  /** Sends a text frame. */
  send(text: string): void;
  /** Adds a listener. */
  addEventListener(event: 'open' | 'message' | 'close', listener: Listener): void;
  /** Removes a listener. */
  removeEventListener(event: 'open' | 'message' | 'close', listener: Listener): void;
}

/** `readyState` of a socket that connects. */
export const CONNECTING = 0;
/** `readyState` of an open socket. */
export const OPEN = 1;

/** Parses a frame. @returns nothing if it is none of the plain protocol */
export function parsedFrame({ data }: { readonly data: unknown }): Readonly<Record<string, unknown>> | undefined {
  if (typeof data !== 'string') return undefined;
  try {
    const frame: unknown = JSON.parse(data);
    return typeof frame === 'object' && frame !== null ? (frame as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}
