import type { StreamPosition } from '../core/history/history.js';
import type { FramedStreamStart, StreamSettings } from './topic-stream.js';

/** The options with which a connection enters a topic. */
export interface TopicEntry {
  /** How the topic keeps its history; `undefined` when it keeps none. */
  readonly stream: StreamSettings | undefined;
  /** The position to recover from, when the client asked for it. */
  readonly recover?: StreamPosition | undefined;
  /**
   * Confirms the subscription to the client, in the same turn in which delivery starts: no publication precedes it.
   * @param start where a topic that keeps a history begins for this connection
   */
  readonly onStart: (start: FramedStreamStart | undefined) => void;
}
