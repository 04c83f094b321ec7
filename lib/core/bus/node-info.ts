/** The counts of one node. */
export interface NodeCounts {
  readonly connections: number;
  /** Distinct users of these connections. */
  readonly users: number;
  /** Topics with at least one subscriber. */
  readonly topics: number;
  /** Pairs of a connection and a topic. */
  readonly subscriptions: number;
}

/** One node, as of its latest announcement. */
export interface NodeInfo extends NodeCounts {
  readonly id: string;
  readonly startedAt: Date;
  /** False while publications of other nodes cannot reach the node. */
  readonly isAttached: boolean;
}
