import { decodeAddress, encodeAddress, isUnknownAddress } from '../routing/address-text.js';
import type { InspectionRequest, NodeQuery } from './node-query.js';

/** The query as the rest of a frame's header: `"connections",["user","42"]`. */
export function encodeQuery(query: NodeQuery): string {
  const of = query.kind === 'connections' ? encodeAddress(query.of) : JSON.stringify(query.of);
  return `"${query.kind}",${of}`;
}

/**
 * The query in the rest of a frame's header. `unknown` when it is of a kind that this version does not know; `undefined`
 * when it is no query.
 */
export function decodeQuery([kind, of]: readonly unknown[]): NodeQuery | 'unknown' | undefined {
  if (kind === 'topics') return typeof of === 'string' && of.length > 0 ? { kind, of } : undefined;
  if (kind === 'inspection') {
    const request = decodeInspection(of);
    return request && { kind, of: request };
  }
  if (kind !== 'connections') return typeof kind === 'string' && kind !== '' ? 'unknown' : undefined;
  const address = decodeAddress(of);
  if (address === undefined && isUnknownAddress(of)) return 'unknown';
  return address && { kind, of: address };
}

/** Ignores fields that it does not know, so that later versions can add some. */
function decodeInspection(of: unknown): InspectionRequest | undefined {
  if (typeof of !== 'object' || of === null || Array.isArray(of)) return undefined;
  const { tail, payloads } = of as Record<string, unknown>;
  if (tail !== undefined && (typeof tail !== 'string' || tail === '')) return undefined;
  return { ...(tail !== undefined && { tail }), ...(payloads === true && { payloads }) };
}
