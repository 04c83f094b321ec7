/** The result of a send, with the same meaning on every backend. */
export interface DeliveryReport {
  /**
   * Number of connections on all nodes that accepted the message: it was written, or waits to be written to them. For an order,
   * those on which it was carried out.
   */
  readonly recipients: number;
  /** Number of nodes that wrote it to at least one connection. */
  readonly nodes: number;
  /**
   * Number of connections for which the message was left out because they could not take it: in a topic with
   * `delivery: { slow: 'drop' }`, or with `volatile: true`. Omitted if there are none.
   */
  readonly dropped?: number;
  /**
   * False if a node that may have recipients did not answer; `recipients` may then be too low. On Redis also until the server that
   * keeps the leases of nodes has been up for 10 s (`leaseTtlMs` less `leaseRefreshMs`): nodes may not be back yet.
   */
  readonly complete: boolean;
  /** Epoch of the stream, for a publication to a topic that keeps a history. */
  readonly epoch?: string;
  /** Offset in the stream, for a publication to a topic that keeps a history. */
  readonly offset?: number;
  /** True for a publication whose idempotency key was known: nothing was published, and the position is that of the first. */
  readonly repeated?: true;
}

/** Returns the report of a send that involved only this node. @param dropped the number of connections that it was left out for */
export function localReport(recipients: number, dropped = 0): DeliveryReport {
  const report = { recipients, nodes: recipients > 0 ? 1 : 0, complete: true };
  return dropped === 0 ? report : { ...report, dropped };
}
