import type { Outcome, Position, Records, Statement } from './journal.js';
import { Life } from './life.js';
import type { Report, Violation } from './violation.js';

/** The result of a run. */
export interface Verdict {
  readonly published: number;
  readonly acknowledged: number;
  readonly unknown: number;
  readonly refused: number;
  /** How many publications have arrived, at all clients together. */
  readonly delivered: number;
  /** How often a client was told that it has all that it had missed; and how often that it has not. */
  readonly recovered: number;
  readonly notRecovered: number;
  /** Nothing in here means that everything held. */
  readonly violations: Readonly<Partial<Record<Violation, readonly string[]>>>;
}

/**
 * Compares the records of the publishers and clients of a topic, after all clients had time to receive what was last
 * published: every acknowledged publication reached every client that was to have it, once and in its place, or the client was
 * told that it would not.
 */
export function judge({ statements, diaries }: Records): Verdict {
  const violations: Partial<Record<Violation, string[]>> = {};
  const report: Report = (violation, what) => void (violations[violation] ??= []).push(what);
  const byKey = new Map(statements.map((statement) => [statement.key, statement]));
  const byPlace = placesOf(statements, report);
  judgeOrder(statements, report);
  const lives = [...diaries].map(([client, notes]) => new Life(client, notes, byKey, report));
  const last = lastOf(statements);
  for (const life of lives) {
    for (const [place, key] of life.places) {
      const known = byPlace.get(place);
      if (known === undefined) byPlace.set(place, key);
      else if (known !== key) report('contradicted', `${place} is ${known}, and ${key} to ${life.client}`);
    }
    life.demand(statements);
    if (last && !life.hasComeTo(last)) report('lost', `${life.client} has not come to ${describe(last)}`);
  }
  const count = (kind: Outcome['kind']) => statements.filter(({ outcome }) => outcome.kind === kind).length;
  const sum = (of: (life: Life) => number) => lives.reduce((total, life) => total + of(life), 0);
  return {
    published: statements.length,
    acknowledged: count('acknowledged'),
    unknown: count('unknown'),
    refused: count('refused'),
    delivered: sum(({ delivered }) => delivered),
    recovered: sum(({ recovered }) => recovered),
    notRecovered: sum(({ notRecovered }) => notRecovered),
    violations,
  };
}

function describe({ epoch, offset }: Position): string {
  return `${epoch}:${offset}`;
}

/** The publication at each position, by the answers to publishers. */
function placesOf(statements: readonly Statement[], report: Report): Map<string, string> {
  const places = new Map<string, string>();
  for (const { key, outcome } of statements) {
    if (outcome.kind !== 'acknowledged') continue;
    const place = describe(outcome);
    const other = places.get(place);
    if (other !== undefined) report('contradicted', `${place} was given to ${other} and to ${key}`);
    places.set(place, key);
  }
  return places;
}

/** A publication begun after another was acknowledged must have a later position. */
function judgeOrder(statements: readonly Statement[], report: Report): void {
  const highest = new Map<string, number>();
  const events = statements.flatMap(({ key, begun, ended, outcome }) => {
    if (outcome.kind !== 'acknowledged') return [];
    const { epoch, offset } = outcome;
    return [
      { at: begun, epoch, offset, key, isBegin: true },
      { at: ended, epoch, offset, key, isBegin: false },
    ];
  });
  for (const { epoch, offset, key, isBegin } of events.sort((a, b) => a.at - b.at)) {
    const before = highest.get(epoch) ?? 0;
    if (!isBegin) highest.set(epoch, Math.max(before, offset));
    else if (offset <= before) report('reordered', `${key} was given ${offset}, when ${before} had been given already`);
  }
}

/** The position of the topic: that of the publication begun last. */
function lastOf(statements: readonly Statement[]): Position | undefined {
  let last: Statement | undefined;
  for (const statement of statements) {
    if (statement.outcome.kind === 'acknowledged' && statement.begun > (last?.begun ?? 0)) last = statement;
  }
  return last?.outcome.kind === 'acknowledged' ? last.outcome : undefined;
}
