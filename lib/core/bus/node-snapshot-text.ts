import { isNodeId } from '../connection/connection-id.js';
import type { RecentKind } from '../base/recent-kinds.js';
import type { TailEntry } from '../message/topic-tails.js';
import type { NodeCounts } from './node-info.js';
import type { CloseEvent, MessageRates, NodeHealth, NodeSnapshot, Traffic, RefusalEvent } from './node-snapshot.js';

/**
 * Reads the snapshot that another node has sent, perhaps of another version: of each part, what is well-formed. Anything
 * without a node and a time is `undefined`.
 */
export function readNodeSnapshot(data: unknown): NodeSnapshot | undefined {
  const { nodeId, at, startedAt, queueBytes, loopDelayMs, ...parts } = fields(data);
  if (!isNodeId(nodeId) || !isNumber(at) || !isNumber(startedAt)) return undefined;
  const rates = ratesOf(parts['rates']);
  return {
    nodeId,
    at,
    startedAt,
    counts: countsOf(parts['counts']),
    health: healthOf(parts['health']),
    ...(rates && { rates }),
    queueBytes: numberOr0(queueBytes),
    loopDelayMs: numberOr0(loopDelayMs),
    traffic: each(parts['traffic'], trafficOf),
    closes: each(parts['closes'], (kind) => kindOf(kind, closeOf)),
    refusals: each(parts['refusals'], (kind) => kindOf(kind, refusalOf)),
    ...(Array.isArray(parts['tail']) && { tail: each(parts['tail'], tailOf) }),
  };
}

function countsOf(data: unknown): NodeCounts {
  const { connections, users, topics, subscriptions } = fields(data);
  return {
    connections: numberOr0(connections),
    users: numberOr0(users),
    topics: numberOr0(topics),
    subscriptions: numberOr0(subscriptions),
  };
}

function healthOf(data: unknown): NodeHealth {
  const { status, reasons } = fields(data);
  const known = status === 'degraded' || status === 'down' ? status : 'up';
  return { status: known, reasons: each(reasons, (reason) => (typeof reason === 'string' ? reason : undefined)) };
}

function ratesOf(data: unknown): MessageRates | undefined {
  const { sent, received } = fields(data);
  return isNumber(sent) && isNumber(received) ? { sent, received } : undefined;
}

function trafficOf(data: unknown): Traffic | undefined {
  const { address, pattern, sent, received, rates } = fields(data);
  if (typeof address !== 'string' || typeof pattern !== 'string') return undefined;
  const perSecond = ratesOf(rates);
  return {
    address,
    pattern,
    sent: numberOr0(sent),
    received: numberOr0(received),
    ...(perSecond && { rates: perSecond }),
  };
}

function kindOf<T>(data: unknown, entryOf: (entry: unknown) => T | undefined): RecentKind<T> | undefined {
  const { kind, count, last } = fields(data);
  return typeof kind === 'string' ? { kind, count: numberOr0(count), last: each(last, entryOf) } : undefined;
}

function closeOf(data: unknown): CloseEvent | undefined {
  const { at, code, reason, byServer, userId, address } = fields(data);
  if (!isNumber(at) || !isNumber(code) || typeof reason !== 'string') return undefined;
  return {
    at,
    code,
    reason,
    byServer: byServer === true,
    ...(typeof userId === 'string' && { userId }),
    ...(typeof address === 'string' && { address }),
  };
}

function refusalOf(data: unknown): RefusalEvent | undefined {
  const { at, status, reason, address } = fields(data);
  if (!isNumber(at) || !isNumber(status) || typeof reason !== 'string') return undefined;
  return { at, status, reason, ...(typeof address === 'string' && { address }) };
}

function tailOf(data: unknown): TailEntry | undefined {
  const { n, at, type, bytes, text } = fields(data);
  if (!isNumber(n) || !isNumber(at) || typeof type !== 'string') return undefined;
  return { n, at, type, bytes: numberOr0(bytes), ...(typeof text === 'string' && { text }) };
}

function fields(data: unknown): Record<string, unknown> {
  return typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : {};
}

function each<T>(list: unknown, read: (item: unknown) => T | undefined): readonly T[] {
  return Array.isArray(list) ? list.map(read).filter((item) => item !== undefined) : [];
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function numberOr0(value: unknown): number {
  return isNumber(value) ? value : 0;
}
