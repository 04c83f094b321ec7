import type { MessageRates, Traffic } from './node-snapshot.js';

/** One count of messages, with the labels `address` and `pattern`. */
export interface MessageCount {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const SENT = 'sent ';
const RECEIVED = 'received ';

/** All totals by one key each, for a `RateWindow`. */
export function totalsOf(
  sent: readonly MessageCount[],
  received: readonly MessageCount[],
): ReadonlyMap<string, number> {
  const totals = new Map<string, number>();
  for (const [direction, counts] of [
    [SENT, sent],
    [RECEIVED, received],
  ] as const) {
    for (const { labels, value } of counts) totals.set(direction + keyOf(labels), value);
  }
  return totals;
}

/** The traffic of a node, from its counts and from the rates of {@link totalsOf}. */
export function trafficOf(
  sent: readonly MessageCount[],
  received: readonly MessageCount[],
  rates: ReadonlyMap<string, number> | undefined,
): readonly Traffic[] {
  const traffic = new Map<string, { address: string; pattern: string; sent: number; received: number }>();
  const entryOf = (labels: MessageCount['labels']) => {
    const key = keyOf(labels);
    const { address = '', pattern = '' } = labels;
    const entry = traffic.get(key) ?? { address, pattern, sent: 0, received: 0 };
    traffic.set(key, entry);
    return entry;
  };
  for (const { labels, value } of sent) entryOf(labels).sent += value;
  for (const { labels, value } of received) entryOf(labels).received += value;
  return Array.from(traffic, ([key, entry]) => {
    if (rates === undefined) return entry;
    return { ...entry, rates: { sent: rates.get(SENT + key) ?? 0, received: rates.get(RECEIVED + key) ?? 0 } };
  });
}

/** The sum of the rates; nothing while there are none. */
export function sumOfRates(traffic: readonly { readonly rates?: MessageRates }[]): MessageRates | undefined {
  const rates = traffic.map((each) => each.rates).filter((each) => each !== undefined);
  if (rates.length === 0) return undefined;
  return {
    sent: rates.reduce((sum, { sent }) => sum + sent, 0),
    received: rates.reduce((sum, { received }) => sum + received, 0),
  };
}

function keyOf({ address = '', pattern = '' }: MessageCount['labels']): string {
  return `${address} ${pattern}`;
}
