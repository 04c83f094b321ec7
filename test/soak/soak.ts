import { setTimeout as delay } from 'node:timers/promises';
import type { NodeSpec } from '../faults/load/node/node-control.js';
import { SeededRandom } from '../faults/load/seeded-random.js';
import { Ledger, type Violation } from './ledger.js';
import { Nemesis } from './nemesis.js';
import { Publisher } from './publisher.js';
import { Reader } from './reader.js';
import { Stage } from './stage.js';
import { Villain } from './villain.js';

const READERS = 8;
const PUBLISHERS = 8;
const VILLAINS = 20;

/** How long it goes on, and which course it takes. */
export interface SoakOptions {
  readonly seed: number;
  readonly durationMs: number;
  /** Replacements for parts of the node, for a twin that must fail. */
  readonly spec?: NodeSpec;
}

/** The actions of a run, and their results. */
export interface SoakReport {
  readonly seed: number;
  readonly acknowledged: number;
  readonly arrived: number;
  /** How often which fault struck. */
  readonly faults: Readonly<Record<string, number>>;
  /** How often villains did what. */
  readonly deeds: Readonly<Record<string, number>>;
  /** The growth of the last node since its start, in bytes. */
  readonly heapGrowthBytes: number;
  /** Nothing in here means that everything held. */
  readonly violations: Readonly<Partial<Record<Violation, readonly string[]>>>;
}

/**
 * Has readers and publishers go about their business on one node, in the company of villains and under faults, and
 * compares what was acknowledged with what arrived. Ends by itself.
 */
export async function soak({ seed, durationMs, spec = {} }: SoakOptions): Promise<SoakReport> {
  const ledger = new Ledger(PUBLISHERS);
  const stage = await Stage.open(ledger, spec);
  // One generator each: what one of them does does not depend on when the others do it.
  const cast = <T>(count: number, make: (n: number, random: SeededRandom) => T, offset: number) =>
    Array.from({ length: count }, (_, n) => make(n, new SeededRandom(seed * 1_000 + offset + n)));
  const readers = cast(READERS, (n, random) => new Reader(stage, `reader-${n}`, random), 0);
  const publishers = cast(PUBLISHERS, (n, random) => new Publisher(stage, `publisher-${n}`, random), 100);
  const villains = cast(VILLAINS, (n, random) => new Villain(stage, `villain-${n}`, random), 200);
  const nemesis = new Nemesis(stage, readers, new SeededRandom(seed * 1_000 + 999));

  const acts = [
    ...readers.map((reader) => reader.read()),
    ...publishers.map((publisher) => publisher.publish()),
    ...villains.map((villain) => villain.misbehave()),
    // Ten to thirty seconds apart; in a short run, so that each has its turn.
    nemesis.strike(Math.min(10_000, Math.max(1_000, durationMs / 30))),
  ];
  await Promise.race([delay(durationMs), Promise.all(acts)]);
  stage.over.abort();
  await Promise.all(acts);
  ledger.settle();
  const { before, after } = await stage.close();
  return {
    seed,
    acknowledged: ledger.acknowledged,
    arrived: ledger.arrived,
    faults: countsOf(nemesis.faults),
    deeds: countsOf(villains.flatMap(({ deeds }) => [...deeds].flatMap(([deed, count]) => Array(count).fill(deed)))),
    heapGrowthBytes: after.heapBytes - before.heapBytes,
    violations: Object.fromEntries(ledger.violations),
  };
}

function countsOf(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
