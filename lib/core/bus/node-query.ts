import type { Address } from '../routing/address.js';
import type { RealtimeConnection } from '../connection/connection.js';

/** What a node may be asked about the connections it holds. */
export type NodeQuery = ConnectionsQuery | TopicsQuery;

/** Which connections are behind the address? */
export interface ConnectionsQuery {
  readonly kind: 'connections';
  readonly of: Address;
}

/** Which topics is the connection subscribed to? */
export interface TopicsQuery {
  readonly kind: 'topics';
  /** The connection's id. */
  readonly of: string;
}

/** What a query is answered with, once for each thing that was found. */
export interface NodeQueryResults {
  readonly connections: RealtimeConnection;
  readonly topics: string;
}

/** One thing that was found. */
export type NodeQueryResult<Q extends NodeQuery = NodeQuery> = NodeQueryResults[Q['kind']];
