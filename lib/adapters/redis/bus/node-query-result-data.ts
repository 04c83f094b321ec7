import { fromConnectionData, toConnectionData } from '../../../core/connection/connection-data.js';
import type { NodeQueryResult } from '../../../core/bus/node-query.js';

/** What was found, as plain data for the way to another node. */
export function toQueryResultData(result: NodeQueryResult): unknown {
  return typeof result === 'string' ? result : toConnectionData(result);
}

/** What was found on another node; what is no result is left out. */
export function fromQueryResultData(data: unknown): NodeQueryResult[] {
  const result = typeof data === 'string' ? data : fromConnectionData(data, (ms) => new Date(ms));
  return result === undefined ? [] : [result];
}
