import type { DeliveryReport } from './delivery-report.js';

/** The knowledge of a node about the delivery of one envelope so far: which nodes received it, and their answers. */
export interface DeliveryTally {
  /** The number of nodes that received it, according to the bus. */
  reached: number;
  /** The number of them that answer; undefined until the bus has returned how many received it. */
  expected: number | undefined;
  answered: number;
  recipients: number;
  /** The number of connections that it was left out for. */
  dropped: number;
  /** The number of nodes that have reached a connection. */
  nodes: number;
  /** Whether every live node could be reached; undefined until that is known. */
  isCovered: boolean | undefined;
  /** True when a node could not act on it, or may never do so. */
  isDoubtful: boolean;
}

/** @param isChecked true if it is still to be found out whether every live node could be reached */
export function emptyTally(isChecked: boolean): DeliveryTally {
  return {
    reached: 0,
    expected: undefined,
    answered: 0,
    recipients: 0,
    dropped: 0,
    nodes: 0,
    isCovered: isChecked ? undefined : true,
    isDoubtful: false,
  };
}

/** Counts the answer of one node. @param dropped the number of its connections that the message was left out for */
export function countAnswer(tally: DeliveryTally, recipients: number, dropped = 0): void {
  tally.answered += 1;
  tally.recipients += recipients;
  tally.dropped += dropped;
  if (recipients > 0) tally.nodes += 1;
}

/** True when nothing more is waited for. */
export function isSettled({ expected, answered, isCovered }: DeliveryTally): boolean {
  return expected !== undefined && answered >= expected && isCovered !== undefined;
}

/** True if every live node could be reached, and every node that received it has answered and has acted on it. */
export function isAnsweredByAll(tally: DeliveryTally): boolean {
  return isSettled(tally) && tally.isCovered === true && !tally.isDoubtful;
}

/**
 * Returns the report of a send. Nodes that received the envelope but were not asked to answer make it incomplete.
 * @param isWhole true if this node can reach every live node now
 */
export function reportOf(tally: DeliveryTally, isWhole: boolean): DeliveryReport {
  const { recipients, nodes, answered, reached, dropped } = tally;
  const complete = isAnsweredByAll(tally) && answered >= reached && isWhole;
  return { recipients, nodes, complete, ...(dropped > 0 && { dropped }) };
}
