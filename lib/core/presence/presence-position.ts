import type { Presence, PresenceChange } from './presence.js';

/** A place in the changes of one topic. */
export interface PresencePosition {
  /** Identifies one life of the presence data; it changes after that data was lost. */
  readonly epoch: string;
  /** The number of the topic's newest change; 0 while the topic has no members. */
  readonly sequence: number;
}

/** The place of one change, chained to the change before it so that a missing one is noticed. */
export interface PresenceLink extends PresencePosition {
  /** The number of the previous change; 0 if the topic had no members. */
  readonly previous: number;
}

/** A change as it crosses the bus. The link is missing where the backend cannot lose a change. */
export type PresenceNews = PresenceChange & { readonly at?: PresenceLink };

/** The members of a topic, and the position of the read; every change up to that position is included. */
export type PresenceReading = Presence & { readonly at?: PresencePosition };

/** Every user of a topic, to compare with the changes sent to watchers. */
export interface PresencePicture {
  /** Every change up to this position is included; later changes may be. */
  readonly at?: PresencePosition;
  /** False for a while after data was lost: users of nodes that have not reported theirs again are missing. */
  readonly isWhole: boolean;
  /** The info of each user. */
  readonly users: ReadonlyMap<string, unknown>;
}
