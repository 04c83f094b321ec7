import { explainAddress, type Address } from './address.js';

/** Returns the address as JSON: `["user","42"]`, `["all"]`. */
export function encodeAddress(address: Address): string {
  return address.kind === 'all' ? '["all"]' : `["${address.kind}",${JSON.stringify(address.id)}]`;
}

/** True for parsed JSON that has the form of an address, of a kind that only a later version can know. */
export function isUnknownAddress(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  const kind: unknown = value[0];
  return typeof kind === 'string' && kind !== '' && !Object.hasOwn(KNOWN_KINDS, kind);
}

const KNOWN_KINDS = {
  user: true,
  role: true,
  connection: true,
  topic: true,
  all: true,
} satisfies Record<Address['kind'], true>;

/** Returns the address from parsed JSON, or `undefined` if the value is not an address. */
export function decodeAddress(value: unknown): Address | undefined {
  if (!Array.isArray(value) || value.length !== (value[0] === 'all' ? 1 : 2)) return undefined;
  const address = value.length === 1 ? { kind: 'all' } : { kind: value[0] as unknown, id: value[1] as unknown };
  return explainAddress(address).length === 0 ? (address as Address) : undefined;
}
