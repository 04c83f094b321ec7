import { decodeAddress, encodeAddress } from '../routing/address-text.js';
import type { NodeQuery } from './node-query.js';

/** The query as the rest of a frame's header: `"connections",["user","42"]`. */
export function encodeQuery(query: NodeQuery): string {
  const of = query.kind === 'topics' ? JSON.stringify(query.of) : encodeAddress(query.of);
  return `"${query.kind}",${of}`;
}

/** The query in the rest of a frame's header, or `undefined` when there is none. */
export function decodeQuery([kind, of]: readonly unknown[]): NodeQuery | undefined {
  if (kind === 'topics') return typeof of === 'string' && of.length > 0 ? { kind, of } : undefined;
  if (kind !== 'connections') return undefined;
  const address = decodeAddress(of);
  return address && { kind, of: address };
}
