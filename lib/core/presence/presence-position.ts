import type { Presence, PresenceChange } from './presence.js';

/** A place in the changes of one topic. */
export interface PresencePosition {
  /** One life of the data that presence is kept in; another one after that data was lost. */
  readonly epoch: string;
  /** The number of the topic's newest change; 0 while nobody is in the topic. */
  readonly sequence: number;
}

/** The place of one change, chained to the change before it so that a missing one is noticed. */
export interface PresenceLink extends PresencePosition {
  /** The number of the change before; 0 when nobody was in the topic. */
  readonly previous: number;
}

/** A change as it crosses the bus. The link is missing where the backend cannot lose a change. */
export type PresenceNews = PresenceChange & { readonly at?: PresenceLink };

/** Who is in a topic, and at which place in its changes; everything up to that place is in the answer. */
export type PresenceReading = Presence & { readonly at?: PresencePosition };

/** Every user of a topic, to compare with what was told. */
export interface PresencePicture {
  /** Everything up to here is in the picture; what came later may be. */
  readonly at?: PresencePosition;
  /** False for a while after data was lost: users of nodes that have not said theirs again are missing. */
  readonly isWhole: boolean;
  /** The info of each user. */
  readonly users: ReadonlyMap<string, unknown>;
}
