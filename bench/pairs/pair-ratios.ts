import { median, type Measure } from '../report/figures.js';
import type { Run } from '../results.js';

/** The most that a build may cost, as a multiple of the build that it is compared with. */
export const MOST = 1.05;

/** How far the control may be from 1; farther, and the machine was too restless to tell. */
export const CONTROL: readonly [lowest: number, highest: number] = [0.97, 1.03];

/** Names of the rows: the build under test, the one it is compared with, and the latter a second time, as the control. */
export const BUILDS = { tested: 'this build', base: 'the other', control: 'the other again' } as const;

/** The ratios of the pairs of one measure. */
export interface Ratios {
  readonly median: number;
  /** A quarter of the pairs are below the first, and a quarter above the second. */
  readonly quartiles: readonly [number, number];
}

/** A measure of a build, compared in pairs. */
export interface Comparison {
  readonly title: string;
  readonly pairs: number;
  readonly tested: Ratios;
  readonly control: Ratios;
  readonly verdict: Verdict;
}

/** `undecided`: the same build has differed from itself, so nothing can be said about the other. */
export type Verdict = 'ok' | 'dearer' | 'undecided';

/** Compares by one measure. @returns nothing where no repetition has the measure for all three rows */
export function compare(runs: readonly Run[], measure: Measure): Comparison | undefined {
  const taken = runs.filter(({ workload }) => workload.name === measure.workload);
  const valueOf = (row: string, repetition: number) => {
    const run = taken.find((one) => one.row === row && one.repetition === repetition);
    return run && measure.of(run);
  };
  const triples = [...new Set(taken.map(({ repetition }) => repetition))].flatMap((repetition) => {
    const [base, tested, control] = [BUILDS.base, BUILDS.tested, BUILDS.control].map((row) => valueOf(row, repetition));
    return base && tested && control ? [{ tested: tested / base, control: control / base }] : [];
  });
  if (triples.length === 0) return undefined;
  const tested = ratiosOf(triples.map((each) => each.tested));
  const control = ratiosOf(triples.map((each) => each.control));
  const verdict = verdictOf(tested.median, control.median);
  return { title: `${measure.title}, ${measure.unit}`, pairs: triples.length, tested, control, verdict };
}

/** @param tested the median ratio of the build under test @param control that of the other build to itself */
export function verdictOf(tested: number, control: number): Verdict {
  const [lowest, highest] = CONTROL;
  if (control < lowest || control > highest) return 'undecided';
  return tested <= MOST ? 'ok' : 'dearer';
}

/** @param ratios at least one */
export function ratiosOf(ratios: readonly number[]): Ratios {
  const sorted = ratios.toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.round((sorted.length - 1) * part)]!;
  return { median: median(sorted), quartiles: [at(0.25), at(0.75)] };
}

/** In which order three rows are measured: each of the six orders in turn, so that none has the better place. */
export function orderOf<T>(rows: readonly T[], repetition: number): readonly T[] {
  const base = repetition % 2 === 0 ? rows : rows.toReversed();
  const shift = Math.floor(repetition / 2) % rows.length;
  return [...base.slice(shift), ...base.slice(0, shift)];
}
