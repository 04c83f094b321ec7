import type { Address } from '../routing/address.js';
import type { RealtimeConnection } from '../connection/connection.js';
import type { NodeSnapshot } from './node-snapshot.js';

/** A query about a node or its connections. */
export type NodeQuery = ConnectionsQuery | TopicsQuery | InspectionQuery;

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

/** Asks what the node holds and how it fares. */
export interface InspectionQuery {
  readonly kind: 'inspection';
  readonly of: InspectionRequest;
}

/** The parts of an inspection beyond the numbers. */
export interface InspectionRequest {
  /** A topic whose messages the node watches for the next seconds. */
  readonly tail?: string;
  /** True to see the messages of that topic, and not only their types. */
  readonly payloads?: boolean;
}

/** The type of one result, by the kind of query. */
export interface NodeQueryResults {
  readonly connections: RealtimeConnection;
  readonly topics: string;
  readonly inspection: NodeSnapshot;
}

/** One result of a query. */
export type NodeQueryResult<Q extends NodeQuery = NodeQuery> = NodeQueryResults[Q['kind']];
