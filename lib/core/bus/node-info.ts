/** How much one node holds. */
export interface NodeCounts {
  readonly connections: number;
  /** Different users among them. */
  readonly users: number;
  /** Topics with at least one subscriber. */
  readonly topics: number;
  /** Pairs of a connection and a topic. */
  readonly subscriptions: number;
}

/** One node, as it last said itself. */
export interface NodeInfo extends NodeCounts {
  readonly id: string;
  readonly startedAt: Date;
  /** False while the node cannot be reached by what others publish. */
  readonly isAttached: boolean;
}
