import { isTopic } from './topic.js';

/**
 * A compiled topic pattern such as `order:{id}`. `{name}` matches one or more characters other than `:`; all other
 * characters match themselves.
 */
export interface TopicPattern {
  readonly source: string;
  /** Names of the parameters, in order. */
  readonly params: readonly string[];
  /** Number of literal characters. If two patterns match, the one with more of them wins. */
  readonly literals: number;
  /** The pattern split at its colons; each segment is a list of literals with a parameter between neighbours. */
  readonly segments: readonly (readonly string[])[];
}

/** A compiled pattern, or the reason why it is invalid. */
export type CompiledPattern =
  { readonly ok: true; readonly pattern: TopicPattern } | { readonly ok: false; readonly problem: string };

const PARAM = /\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

/** Compiles a pattern. Never throws: invalid input gives `{ ok: false }`. */
export function compileTopicPattern(source: string): CompiledPattern {
  if (typeof source !== 'string') return { ok: false, problem: 'a pattern must be a string' };
  const params = Array.from(source.matchAll(PARAM), ([, name]) => name!);
  const duplicate = params.find((name, i) => params.indexOf(name) !== i);
  if (duplicate !== undefined) return { ok: false, problem: `parameter {${duplicate}} appears twice` };
  if (/\}\{/.test(source)) return { ok: false, problem: 'two parameters need at least one character between them' };
  if (!isTopic(source.replace(PARAM, 'x'))) {
    return {
      ok: false,
      problem:
        'a pattern is a topic (letters, digits and _ . : / @ -, at most 255 characters) with parameters like {id} in it',
    };
  }
  const segments = source.split(':').map((segment) => segment.replace(PARAM, '{').split('{'));
  const literals = source.replace(PARAM, '').length;
  return { ok: true, pattern: { source, params, literals, segments } };
}

/** Returns the parameters of a topic, or `undefined` if the pattern does not match. Earlier parameters match as little as possible. */
export function matchTopic(pattern: TopicPattern, topic: string): Readonly<Record<string, string>> | undefined {
  const parts = topic.split(':');
  if (parts.length !== pattern.segments.length) return undefined;
  const values: string[] = [];
  for (let i = 0; i < parts.length; i++) {
    if (!matchSegment(pattern.segments[i]!, parts[i]!, values)) return undefined;
  }
  return Object.fromEntries(pattern.params.map((name, i) => [name, values[i]!]));
}

/**
 * Returns the topic for the parameters, or `undefined` if one is missing, not a string, empty or contains a colon, or if the topic
 * would be read back with other values: `{a}-{b}` with `1-2` and `3` is the topic of `1` and `2-3` too.
 */
export function buildTopic(pattern: TopicPattern, params: Readonly<Record<string, string>>): string | undefined {
  const values = pattern.params.map((name) => (Object.hasOwn(params, name) ? params[name]! : ''));
  if (values.some((value) => typeof value !== 'string' || value === '' || value.includes(':'))) return undefined;
  let next = 0;
  const topic = pattern.source.replace(PARAM, () => values[next++]!);
  if (!isTopic(topic)) return undefined;
  const readBack = matchTopic(pattern, topic);
  return pattern.params.every((name, i) => readBack?.[name] === values[i]) ? topic : undefined;
}

/** Compares patterns for sorting: the one with more literal characters wins and comes first. */
export function comparePatterns(a: TopicPattern, b: TopicPattern): number {
  return b.literals - a.literals;
}

/** True if a topic exists that both patterns match and neither pattern wins. */
export function areAmbiguous(a: TopicPattern, b: TopicPattern): boolean {
  return (
    a.literals === b.literals &&
    a.segments.length === b.segments.length &&
    a.segments.every((segment, i) => overlap(tokensOf(segment), tokensOf(b.segments[i]!)))
  );
}

/** Finds each literal at its first occurrence. No backtracking is needed, because parameters match any non-empty text. */
function matchSegment(literals: readonly string[], text: string, values: string[]): boolean {
  const last = literals.length - 1;
  if (last === 0) return literals[0] === text;
  if (!text.startsWith(literals[0]!)) return false;
  let from = literals[0]!.length;
  for (let i = 1; i < last; i++) {
    const at = text.indexOf(literals[i]!, from + 1);
    if (at < 0) return false;
    values.push(text.slice(from, at));
    from = at + literals[i]!.length;
  }
  const end = text.length - literals[last]!.length;
  if (end <= from || !text.endsWith(literals[last]!)) return false;
  values.push(text.slice(from, end));
  return true;
}

type Token = string | typeof ANY;
const ANY = Symbol('one or more characters');

function tokensOf(literals: readonly string[]): Token[] {
  return literals.flatMap((literal, i) => (i === 0 ? literal.split('') : [ANY, ...literal.split('')]));
}

/** Walks both token lists side by side through every way they can consume the same characters. */
function overlap(a: readonly Token[], b: readonly Token[]): boolean {
  const seen = new Set<number>();
  const open = [0];
  const visit = (i: number, j: number) => open.push(i * (b.length + 1) + j);
  while (open.length > 0) {
    const state = open.pop()!;
    if (seen.has(state)) continue;
    seen.add(state);
    const i = Math.floor(state / (b.length + 1));
    const j = state % (b.length + 1);
    if (i === a.length && j === b.length) return true;
    const [x, y] = [a[i], b[j]];
    if (x === undefined || y === undefined) continue;
    if (x !== ANY && y !== ANY && x !== y) continue;
    // Both consume one common character; a parameter may consume more.
    visit(i + 1, j + 1);
    if (x === ANY) visit(i, j + 1);
    if (y === ANY) visit(i + 1, j);
  }
  return false;
}
