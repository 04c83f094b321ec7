import { fromConnectionData, toConnectionData } from '../../../core/connection/connection-data.js';
import type { NodeQueryResult } from '../../../core/bus/node-query.js';

/** What was found, as plain data for the way to another node. */
export function toFindingData(finding: NodeQueryResult): unknown {
  return typeof finding === 'string' ? finding : toConnectionData(finding);
}

/** What was found on another node; what is no finding is left out. */
export function fromFindingData(data: unknown): NodeQueryResult[] {
  const finding = typeof data === 'string' ? data : fromConnectionData(data, (ms) => new Date(ms));
  return finding === undefined ? [] : [finding];
}
