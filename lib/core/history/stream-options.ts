import type { Problem } from '../base/problem.js';
import { explainMessageType } from '../message/message.js';

/**
 * Options of a published stream.
 * @publicApi
 */
export interface TopicStreamOptions {
  /**
   * Names the stream in its topic: 1 to 64 letters, digits or `_ . : / @ -`. While a stream with this id runs in the topic, on any
   * node, no second one is started. Default: a random one. Take a new id for each stream: readers tell streams apart by it.
   */
  readonly id?: string;
  /** Type of the messages. Default `stream`. */
  readonly type?: string;
  /** Time for which items are collected before they are published, in milliseconds: 0 to 10,000. Default 50. */
  readonly flushMs?: number;
  /**
   * Size at which collected items are published before that, in bytes of UTF-8: 4 to 1,048,576. Longer strings are cut; any other
   * item that is larger is published alone. Default 8,192.
   */
  readonly maxBytes?: number;
}

/** The default of each option but for the id. */
export const STREAM_DEFAULTS = { type: 'stream', flushMs: 50, maxBytes: 8_192 } as const;

const ID = /^[A-Za-z0-9_.:/@-]{1,64}$/;

/** Returns the problems of a stream's id. */
export function explainStreamId(id: unknown): readonly Problem[] {
  if (typeof id === 'string' && ID.test(id)) return [];
  return [{ at: 'id', message: 'must be a string of 1 to 64 letters, digits or the characters _ . : / @ -' }];
}

/** Returns the problems of the options of a stream. */
export function explainStreamOptions({ id, type, flushMs, maxBytes }: TopicStreamOptions): readonly Problem[] {
  return [
    ...(id === undefined ? [] : explainStreamId(id)),
    ...(type === undefined ? [] : explainMessageType(type)),
    ...explainWhole('flushMs', flushMs, 0, 10_000),
    ...explainWhole('maxBytes', maxBytes, 4, 1_048_576),
  ];
}

function explainWhole(at: string, value: unknown, min: number, max: number): readonly Problem[] {
  if (value === undefined) return [];
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return [];
  return [{ at, message: `must be a whole number from ${min} to ${max}` }];
}
