import { isNodeId } from '../connection/connection-id.js';
import { decodeEnvelope, encodeEnvelope } from './envelope-text.js';
import type { Envelope } from '../routing/envelope.js';
import { decodeQuery, encodeQuery } from './node-query-text.js';
import type { NodeQuery } from './node-query.js';

/**
 * What nodes say to each other on a bus between processes. `origin` is the node that speaks; `sequence` counts what it
 * has said, so that what comes twice or late is recognised.
 */
export type BusFrame = Spoken &
  (
    | { readonly kind: 'envelope'; readonly envelope: Envelope; readonly wantsReport: boolean }
    | { readonly kind: 'query'; readonly query: NodeQuery }
    /** Which of the receiver's envelopes reached how many connections here. */
    | { readonly kind: 'reached'; readonly counts: readonly ReachedCount[] }
    /** A part of the answer to a query of the receiver. */
    | {
        readonly kind: 'found';
        readonly about: number;
        readonly results: readonly unknown[];
        readonly isLast: boolean;
      }
    /** Everybody says that they are there. */
    | { readonly kind: 'roll-call' }
    /** Meant for the one who sends it. */
    | { readonly kind: 'probe' }
    /** The origin is attached to the bus from now on, or no longer; `isGone` when it ends. */
    | { readonly kind: 'attachment'; readonly isAttached: boolean; readonly isGone: boolean }
  );

/** Who speaks, and how often this node has spoken before. */
export interface Spoken {
  readonly origin: string;
  readonly sequence: number;
}

/** An envelope's sequence, and how many connections it reached. */
export type ReachedCount = readonly [sequence: number, recipients: number];

/** Stands first in every frame: what starts otherwise comes from another version, or from elsewhere. */
const VERSION = '1';

const LETTERS = {
  envelope: 'e',
  query: 'q',
  reached: 'r',
  found: 'f',
  'roll-call': 'c',
  probe: 'p',
  attachment: 'n',
} as const satisfies Record<BusFrame['kind'], string>;

/**
 * The frame as text: version, kind, a header in JSON that ends at the first line feed, and after it, as it is, what was
 * JSON before. A message's text is neither parsed nor written again on its way.
 */
export function encodeFrame(frame: BusFrame): string {
  const { kind, origin, sequence } = frame;
  const start = `${VERSION}${LETTERS[kind]}["${origin}",${sequence}`;
  switch (frame.kind) {
    case 'envelope':
      return `${start},${frame.wantsReport ? 1 : 0},${encodeEnvelope(frame.envelope)}`;
    case 'query':
      return `${start},${encodeQuery(frame.query)}]\n`;
    case 'reached':
      return `${start}]\n${JSON.stringify(frame.counts)}`;
    case 'found':
      return `${start},${frame.about},${frame.isLast ? 1 : 0}]\n${JSON.stringify(frame.results)}`;
    case 'attachment':
      return `${start},${frame.isAttached ? 1 : 0},${frame.isGone ? 1 : 0}]\n`;
    case 'roll-call':
    case 'probe':
      return `${start}]\n`;
  }
}

/** Reads a frame. Whatever is not one, to the letter, is `undefined`; nothing throws. */
export function decodeFrame(text: string): BusFrame | undefined {
  const end = text.indexOf('\n');
  if (text[0] !== VERSION || end < 0) return undefined;
  const header = parseList(text.slice(2, end));
  if (header === undefined) return undefined;
  const [origin, sequence, ...rest] = header;
  if (!isNodeId(origin) || !isCount(sequence) || sequence === 0) return undefined;
  const body = text.slice(end + 1);
  const spoken = { origin, sequence };
  switch (text[1]) {
    case LETTERS.envelope: {
      const envelope = isFlag(rest[0]) ? decodeEnvelope(rest.slice(1), body) : undefined;
      return envelope && { kind: 'envelope', ...spoken, wantsReport: rest[0] === 1, envelope };
    }
    case LETTERS.query: {
      const query = rest.length === 2 && body === '' ? decodeQuery(rest) : undefined;
      return query && { kind: 'query', ...spoken, query };
    }
    case LETTERS.reached: {
      const counts = rest.length === 0 ? parseList(body) : undefined;
      return counts?.every(isReachedCount)
        ? { kind: 'reached', ...spoken, counts: counts as ReachedCount[] }
        : undefined;
    }
    case LETTERS.found: {
      const [about, isLast] = rest;
      const results = rest.length === 2 && isCount(about) && isFlag(isLast) ? parseList(body) : undefined;
      return results && { kind: 'found', ...spoken, about: about as number, isLast: isLast === 1, results };
    }
    case LETTERS.attachment: {
      const [isAttached, isGone] = rest;
      if (rest.length !== 2 || !isFlag(isAttached) || !isFlag(isGone) || body !== '') return undefined;
      return { kind: 'attachment', ...spoken, isAttached: isAttached === 1, isGone: isGone === 1 };
    }
    case LETTERS['roll-call']:
      return rest.length === 0 && body === '' ? { kind: 'roll-call', ...spoken } : undefined;
    case LETTERS.probe:
      return rest.length === 0 && body === '' ? { kind: 'probe', ...spoken } : undefined;
    default:
      return undefined;
  }
}

function parseList(text: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isFlag(value: unknown): boolean {
  return value === 0 || value === 1;
}

function isReachedCount(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && value.every(isCount);
}
