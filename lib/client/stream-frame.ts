import type { ItemQueue } from './item-queue.js';
import { streamErrorOf } from './stream-error.js';

/** A frame of the server about a stream, in both protocols. */
export interface StreamFrame {
  readonly type: 'realtime:reply' | 'realtime:complete' | 'realtime:error';
  readonly id: string | number;
  readonly payload?: unknown;
}

const TYPES = ['realtime:reply', 'realtime:complete', 'realtime:error'];

/** Returns true for what the server says of some stream. */
export function isStreamFrame(value: unknown): value is StreamFrame {
  if (typeof value !== 'object' || value === null) return false;
  const { type, id } = value as { readonly type?: unknown; readonly id?: unknown };
  return typeof type === 'string' && TYPES.includes(type) && id !== undefined;
}

/** Applies what the server says of a stream to its items. */
export function applyFrame<T>(queue: ItemQueue<T>, { type, payload }: StreamFrame): void {
  switch (type) {
    case 'realtime:reply':
      return queue.push(payload as T);
    case 'realtime:complete':
      return queue.close();
    case 'realtime:error':
      return queue.fail(streamErrorOf(payload));
  }
}
