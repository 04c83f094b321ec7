import { decodeAddress, encodeAddress } from '../routing/address-text.js';
import type { NodeQuery } from './node-query.js';

/** The question as the rest of a frame's header: `"connections",["user","42"]`. */
export function encodeQuestion(question: NodeQuery): string {
  const of = question.kind === 'topics' ? JSON.stringify(question.of) : encodeAddress(question.of);
  return `"${question.kind}",${of}`;
}

/** The question in the rest of a frame's header, or `undefined` when there is none. */
export function decodeQuestion([kind, of]: readonly unknown[]): NodeQuery | undefined {
  if (kind === 'topics') return typeof of === 'string' && of.length > 0 ? { kind, of } : undefined;
  if (kind !== 'connections') return undefined;
  const address = decodeAddress(of);
  return address && { kind, of: address };
}
