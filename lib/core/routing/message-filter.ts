import { sameAddress, type Address } from './address.js';
import type { AddressedMessage } from './envelope.js';

/** Returns the messages of one type, in order. */
export function filterByType<M extends AddressedMessage>(messages: readonly M[], type: string): M[] {
  return messages.filter(({ message }) => message.type === type);
}

/** Returns the messages sent to exactly this address; messages to a wider address that includes it do not count. */
export function filterByTarget<M extends AddressedMessage>(messages: readonly M[], target: Address): M[] {
  return messages.filter(({ to }) => to.some((address) => sameAddress(address, target)));
}

/** The latest time that a timestamp with a four-digit year can express. */
const LATEST_MS = 253_402_300_799_999;

/** Returns the messages with a timestamp at or after `since`; messages without a timestamp are left out. */
export function filterSince<M extends AddressedMessage>(messages: readonly M[], since: Date): M[] {
  if (!(since.getTime() <= LATEST_MS)) return [];
  // Both are ISO 8601 in UTC with milliseconds, so they compare as text.
  const from = since.toISOString();
  return messages.filter(({ message }) => message.timestamp !== undefined && message.timestamp >= from);
}

/** Returns the number of messages of each type. */
export function countByType(messages: readonly AddressedMessage[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { message } of messages) counts.set(message.type, (counts.get(message.type) ?? 0) + 1);
  return counts;
}
