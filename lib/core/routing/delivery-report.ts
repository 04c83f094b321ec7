/** The answer to a send; it means the same on every backend. */
export interface DeliveryReport {
  /** How many connections it was written to, over all nodes. For an order: how many it was carried out on. */
  readonly recipients: number;
  /** How many nodes wrote it to at least one connection. */
  readonly nodes: number;
  /** False when a node that may have recipients did not answer, so that `recipients` may be too low. */
  readonly complete: boolean;
  /** Of a publication to a topic that keeps a history: the epoch of its stream. */
  readonly epoch?: string;
  /** Of a publication to a topic that keeps a history: its place in it. */
  readonly offset?: number;
}

/** The report of a send that no node but this one had to do with. */
export function localReport(recipients: number): DeliveryReport {
  return { recipients, nodes: recipients > 0 ? 1 : 0, complete: true };
}
