/** What tells whether a server has lost data. */
export interface DataMark {
  /** Another one after each restart, and after each promotion of a replica; '' if it is not known. */
  readonly identity: string;
  /** How often data were lost while the server was up; -1 if it is not known. */
  readonly losses: number;
  /** True if it may have been a replica before, which had only what was replicated to it; nobody knows until when. */
  readonly isPromoted: boolean;
}

/** The absence of a node from a server. Times are in milliseconds of the process. */
export interface Absence {
  /** Up to when the node has certainly received everything. */
  readonly heardUntil: number;
  /** When the node has last told all its connections to reconnect: none that is there now is older. `-Infinity` if it never has. */
  readonly toldToReconnectAt: number;
  readonly now: number;
  /** The time for which orders are kept, in milliseconds. */
  readonly keptMs: number;
  /** True if more orders were given than are kept. */
  readonly isCut: boolean;
  /** From when on, since both, the node's lease may have been over: reports of orders may have been complete without the node. */
  readonly leaseOverFrom: number;
  /** What the node knew of the data when it was last there; `undefined` if it was at another server. */
  readonly before: DataMark | undefined;
  readonly after: DataMark;
  /** When this run of the server had started at the latest. */
  readonly startedBy: number;
}

/**
 * Whether an order may be lost that a node has missed, and that was reported as complete. As long as the node has a lease, no report is
 * complete without it. An order that was given later is lost if the server has lost data since. An order from before the node has
 * told all its connections to reconnect concerns none of those that are there now.
 */
export function mayHaveLostOrders(absence: Absence): boolean {
  const { heardUntil, toldToReconnectAt, now, keptMs, isCut, leaseOverFrom } = absence;
  return isCut || now - Math.max(heardUntil, toldToReconnectAt) > keptMs || leaseOverFrom < lostBy(absence);
}

/** The latest moment at which data can have been lost; `-Infinity` if none was. */
function lostBy({ before, after, heardUntil, startedBy, now }: Absence): number {
  const isKnown = after.identity !== '' && after.losses >= 0;
  if (isKnown && before?.identity === after.identity && before.losses === after.losses) return -Infinity;
  // The run that the node knew had ended by then, and the new one has lost nothing. A replica that starts does not end a run.
  const isNewRun = before !== undefined && before.identity !== after.identity && !after.isPromoted;
  const isRestart = isKnown && after.losses === 0 && isNewRun;
  return isRestart && startedBy > heardUntil ? startedBy : now;
}
