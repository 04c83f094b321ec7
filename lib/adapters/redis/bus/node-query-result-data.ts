import { fromConnectionData, toConnectionData } from '../../../core/connection/connection-data.js';
import type { NodeQueryResult } from '../../../core/bus/node-query.js';
import { readNodeSnapshot } from '../../../core/bus/node-snapshot-text.js';

/** Converts a query result to plain data for another node. */
export function toQueryResultData(result: NodeQueryResult): unknown {
  return typeof result === 'string' || 'nodeId' in result ? result : toConnectionData(result);
}

/** Parses the query results of another node; invalid results are skipped. */
export function fromQueryResultData(data: unknown): NodeQueryResult[] {
  const result =
    typeof data === 'string' ? data : (fromConnectionData(data, (ms) => new Date(ms)) ?? readNodeSnapshot(data));
  return result === undefined ? [] : [result];
}
