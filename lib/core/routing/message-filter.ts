import { sameAddress, type Address } from './address.js';
import type { AddressedMessage } from './envelope.js';

/** The messages of one type, in their order. */
export function filterByType<M extends AddressedMessage>(messages: readonly M[], type: string): M[] {
  return messages.filter(({ message }) => message.type === type);
}

/** The messages sent to this very address; one that reaches it through a wider address does not count. */
export function filterByTarget<M extends AddressedMessage>(messages: readonly M[], target: Address): M[] {
  return messages.filter(({ to }) => to.some((address) => sameAddress(address, target)));
}

/** The last moment that a timestamp of four-digit years can tell. */
const LATEST_MS = 253_402_300_799_999;

/** The messages stamped at or after a moment; one without a timestamp has no age and is left out. */
export function filterSince<M extends AddressedMessage>(messages: readonly M[], since: Date): M[] {
  if (!(since.getTime() <= LATEST_MS)) return [];
  // Both are ISO 8601 in UTC with milliseconds, and so sort as text.
  const from = since.toISOString();
  return messages.filter(({ message }) => message.timestamp !== undefined && message.timestamp >= from);
}

/** How many messages there are of each type. */
export function countByType(messages: readonly AddressedMessage[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { message } of messages) counts.set(message.type, (counts.get(message.type) ?? 0) + 1);
  return counts;
}
