import { isNodeId } from '../connection/connection-id.js';
import { isCount } from './count.js';
import { decodeEnvelope, encodeEnvelope, type EnvelopeFields } from './envelope-text.js';
import type { Envelope } from '../routing/envelope.js';
import { decodeQuery, encodeQuery } from './node-query-text.js';
import type { NodeQuery } from './node-query.js';

/**
 * A message between nodes on a bus between processes. `origin` is the node that sent it. `sequence` counts the frames of
 * that node, so that duplicates and late frames are recognised.
 */
export type BusFrame = FrameStart &
  (
    | { readonly kind: 'envelope'; readonly envelope: Envelope; readonly wantsReport: boolean }
    | { readonly kind: 'query'; readonly query: NodeQuery }
    /** The number of connections that envelopes of the receiver have reached on the sending node. */
    | {
        readonly kind: 'reached';
        readonly counts: readonly ReachedCount[];
        /** For how many connections messages were left out; only those for which there are any. */
        readonly dropped?: readonly ReachedCount[];
        /** True if the sender could not act on these sequences, so that the counts are meaningless. */
        readonly isUnserved?: boolean;
      }
    /** A part of the answer to a query of the receiver. */
    | {
        readonly kind: 'result';
        readonly about: number;
        readonly results: readonly unknown[];
        readonly isLast: boolean;
      }
    /** Asks every node to answer. */
    | { readonly kind: 'roll-call' }
    /** Sent by a node to itself. */
    | { readonly kind: 'probe' }
    /** Announces that the origin was attached to the bus or detached; `isGone` if it closes. */
    | { readonly kind: 'attachment'; readonly isAttached: boolean; readonly isGone: boolean }
  );

/**
 * A well-formed envelope or query whose order, query or address is of a kind that this version does not know. It is answered
 * with 0 connections reached, and makes the sender's report incomplete.
 */
export interface UnknownFrame extends FrameStart {
  readonly kind: 'unknown';
  readonly wantsReport: boolean;
}

/** The start of every frame: the sending node, and the number of this frame among all frames of that node, from 1. */
export interface FrameStart {
  readonly origin: string;
  readonly sequence: number;
}

/** An envelope's sequence, and a number of connections: those that it reached, or those that it was left out for. */
export type ReachedCount = readonly [sequence: number, recipients: number];

/** The first character of every frame. A change that older nodes could not read needs another one. */
const VERSION = '1';

const LETTERS = {
  envelope: 'e',
  query: 'q',
  reached: 'r',
  result: 'f',
  'roll-call': 'c',
  probe: 'p',
  attachment: 'n',
} as const satisfies Record<BusFrame['kind'], string>;

/**
 * Fields that a frame may have beyond those of its kind: the last element of every header. A reader ignores the fields that
 * it does not know, so later versions add fields here, and nodes of both versions work together during a rolling deploy.
 */
interface OptionalFields extends EnvelopeFields {
  /** Of `reached`: 1 when the sender could not act on these sequences. */
  readonly unserved?: unknown;
  /** Of `reached`: for how many connections messages were left out, as a list like that of the body. */
  readonly dropped?: unknown;
}

/**
 * The frame as text: version, kind, and a header in JSON that ends at the first line feed with the object of optional fields;
 * after it the body, JSON that is passed on as it is. A message's text is neither parsed nor serialised again on its way.
 */
export function encodeFrame(frame: BusFrame): string {
  const { kind, origin, sequence } = frame;
  const start = `${VERSION}${LETTERS[kind]}["${origin}",${sequence}`;
  switch (frame.kind) {
    case 'envelope':
      return `${start},${frame.wantsReport ? 1 : 0},${encodeEnvelope(frame.envelope)}`;
    case 'query':
      return `${start},${encodeQuery(frame.query)},{}]\n`;
    case 'reached':
      return `${start},${reachedFields(frame)}]\n${JSON.stringify(frame.counts)}`;
    case 'result':
      return `${start},${frame.about},${frame.isLast ? 1 : 0},{}]\n${JSON.stringify(frame.results)}`;
    case 'attachment':
      return `${start},${frame.isAttached ? 1 : 0},${frame.isGone ? 1 : 0},{}]\n`;
    case 'roll-call':
    case 'probe':
      return `${start},{}]\n`;
  }
}

function reachedFields({ isUnserved, dropped }: Extract<BusFrame, { kind: 'reached' }>): string {
  if (dropped !== undefined) return JSON.stringify({ ...(isUnserved && { unserved: 1 }), dropped });
  return isUnserved ? '{"unserved":1}' : '{}';
}

/** Reads a frame. Anything that is not exactly a frame is `undefined`; nothing throws. */
export function decodeFrame(text: string): BusFrame | UnknownFrame | undefined {
  const end = text.indexOf('\n');
  if (text[0] !== VERSION || end < 0) return undefined;
  const header = parseList(text.slice(2, end));
  const optional = header?.pop();
  if (header === undefined || !isObject(optional)) return undefined;
  const [origin, sequence, ...rest] = header;
  if (!isNodeId(origin) || !isCount(sequence) || sequence === 0) return undefined;
  return decodeKind(text[1], { origin, sequence }, rest, optional, text.slice(end + 1));
}

function decodeKind(
  letter: string | undefined,
  start: FrameStart,
  rest: readonly unknown[],
  optional: OptionalFields,
  body: string,
): BusFrame | UnknownFrame | undefined {
  switch (letter) {
    case LETTERS.envelope: {
      const envelope = isFlag(rest[0]) ? decodeEnvelope(rest.slice(1), body, optional) : undefined;
      const wantsReport = rest[0] === 1;
      if (envelope === 'unknown') return { kind: 'unknown', ...start, wantsReport };
      return envelope && { kind: 'envelope', ...start, wantsReport, envelope };
    }
    case LETTERS.query: {
      const query = rest.length === 2 && body === '' ? decodeQuery(rest) : undefined;
      if (query === 'unknown') return { kind: 'unknown', ...start, wantsReport: true };
      return query && { kind: 'query', ...start, query };
    }
    case LETTERS.reached: {
      const counts = rest.length === 0 ? parseList(body) : undefined;
      if (!counts?.every(isReachedCount)) return undefined;
      const isUnserved = optional.unserved === 1;
      const { dropped } = optional;
      return {
        kind: 'reached',
        ...start,
        counts: counts as ReachedCount[],
        ...(areCounts(dropped) && { dropped }),
        ...(isUnserved && { isUnserved }),
      };
    }
    case LETTERS.result: {
      const [about, isLast] = rest;
      const results = rest.length === 2 && isCount(about) && isFlag(isLast) ? parseList(body) : undefined;
      return results && { kind: 'result', ...start, about: about as number, isLast: isLast === 1, results };
    }
    case LETTERS.attachment: {
      const [isAttached, isGone] = rest;
      if (rest.length !== 2 || !isFlag(isAttached) || !isFlag(isGone) || body !== '') return undefined;
      return { kind: 'attachment', ...start, isAttached: isAttached === 1, isGone: isGone === 1 };
    }
    case LETTERS['roll-call']:
      return rest.length === 0 && body === '' ? { kind: 'roll-call', ...start } : undefined;
    case LETTERS.probe:
      return rest.length === 0 && body === '' ? { kind: 'probe', ...start } : undefined;
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

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isFlag(value: unknown): boolean {
  return value === 0 || value === 1;
}

function areCounts(value: unknown): value is readonly ReachedCount[] {
  return Array.isArray(value) && value.every(isReachedCount);
}

function isReachedCount(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && value.every(isCount);
}
