import type { Address } from './address.js';
import type { RealtimeConnection } from './connection.js';

/** What a node may be asked about the connections it holds. */
export type Question = ConnectionsQuestion | TopicsQuestion;

/** Which connections are behind the address? */
export interface ConnectionsQuestion {
  readonly kind: 'connections';
  readonly of: Address;
}

/** Which topics is the connection subscribed to? */
export interface TopicsQuestion {
  readonly kind: 'topics';
  /** The connection's id. */
  readonly of: string;
}

/** What a question is answered with, once for each thing that was found. */
export interface Findings {
  readonly connections: RealtimeConnection;
  readonly topics: string;
}

/** One thing that was found. */
export type Finding<Q extends Question = Question> = Findings[Q['kind']];
