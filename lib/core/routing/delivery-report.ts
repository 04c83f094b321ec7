/** The result of a send, with the same meaning on every backend. */
export interface DeliveryReport {
  /** Number of connections on all nodes to which the message was written; for an order, on which it was carried out. */
  readonly recipients: number;
  /** Number of nodes that wrote it to at least one connection. */
  readonly nodes: number;
  /** False if a node that may have recipients did not answer; `recipients` may then be too low. */
  readonly complete: boolean;
  /** Epoch of the stream, for a publication to a topic that keeps a history. */
  readonly epoch?: string;
  /** Offset in the stream, for a publication to a topic that keeps a history. */
  readonly offset?: number;
  /** True for a publication whose idempotency key was known: nothing was published, and the position is that of the first. */
  readonly repeated?: true;
}

/** Returns the report of a send that involved only this node. */
export function localReport(recipients: number): DeliveryReport {
  return { recipients, nodes: recipients > 0 ? 1 : 0, complete: true };
}
