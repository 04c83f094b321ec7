import type { PaceEntry } from './paced-node.js';
import type { StreamEntry, StreamSettings } from './topic-stream.js';

/** The options with which a connection enters a topic. */
export type TopicEntry = {
  /** How messages are delivered when the connection cannot take them; missing: it is closed. */
  readonly pace?: PaceEntry;
} & (
  | {
      /** The topic keeps no history. */
      readonly stream: undefined;
      /** Confirms the subscription to the client, in the same turn in which delivery starts: no message precedes it. */
      readonly onStart: () => void;
    }
  | (StreamEntry & {
      /** The history that the topic keeps. */
      readonly stream: StreamSettings;
    })
);
