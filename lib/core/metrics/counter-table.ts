import type { Labels, MetricSample } from './metric.js';

/** One number of a table. Add to `value` directly. */
export class Counter {
  value = 0;

  constructor(readonly labels: Labels) {}
}

/** The counter of the label values up to here, and the values that may follow. */
interface Node {
  counter?: Counter;
  readonly next: Map<string, Node>;
}

/**
 * Counters by up to three labels. A lookup builds no string and allocates nothing, except the first of a combination. The table
 * keeps every combination for ever, so label values must come from closed sets; see `label-values`.
 */
export class CounterTable {
  readonly #root: Node = { next: new Map() };
  readonly #all: Counter[] = [];

  constructor(private readonly names: readonly string[]) {}

  /** The counter of a combination; the same object every time. An empty value leaves its label out. */
  of(first: string, second = '', third = ''): Counter {
    const { length } = this.names;
    let node = step(this.#root, first);
    if (length > 1) node = step(node, second);
    if (length > 2) node = step(node, third);
    return (node.counter ??= this.#add([first, second, third]));
  }

  /** The present values, in the order in which the combinations first occurred. */
  get samples(): readonly MetricSample[] {
    return this.#all.map(({ labels, value }) => ({ labels, value }));
  }

  #add(values: readonly string[]): Counter {
    const pairs = this.names.map((name, at) => [name, values[at]!] as const).filter(([, value]) => value !== '');
    const counter = new Counter(Object.freeze(Object.fromEntries(pairs)));
    this.#all.push(counter);
    return counter;
  }
}

function step({ next }: Node, value: string): Node {
  let node = next.get(value);
  if (node === undefined) next.set(value, (node = { next: new Map() }));
  return node;
}
