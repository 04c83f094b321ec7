import type { Address } from '../routing/address.js';
import type { RealtimeConnection } from '../connection/connection.js';

/** A query about the connections of a node. */
export type NodeQuery = ConnectionsQuery | TopicsQuery;

/** Asks for the connections that match an address. */
export interface ConnectionsQuery {
  readonly kind: 'connections';
  readonly of: Address;
}

/** Asks for the topics that a connection is subscribed to. */
export interface TopicsQuery {
  readonly kind: 'topics';
  /** The connection's id. */
  readonly of: string;
}

/** The type of one result, by the kind of query. */
export interface NodeQueryResults {
  readonly connections: RealtimeConnection;
  readonly topics: string;
}

/** One result of a query. */
export type NodeQueryResult<Q extends NodeQuery = NodeQuery> = NodeQueryResults[Q['kind']];
