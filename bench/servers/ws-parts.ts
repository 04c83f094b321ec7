import type { EventEmitter } from 'node:events';
import type { Writable } from 'node:stream';
import * as ws from 'ws';

interface WsParts {
  /** Makes frames: the head, then the payload. */
  readonly Sender: { frame(payload: Buffer, options: object): Buffer[] };
  /** Reads frames. */
  readonly Receiver: new (options: { isServer: boolean }) => Writable & EventEmitter;
}

/** Exports of `ws` that its types lack. */
export const { Sender, Receiver } = ws as unknown as WsParts;
