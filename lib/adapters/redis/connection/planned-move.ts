import { setTimeout as delay } from 'node:timers/promises';
import { addressIn, redirectionIn } from './redirection.js';
import { command } from './redis-network.js';
import type { RedisServer } from './redis-server.js';
import { infoField, leastUptimeMs } from './server-info.js';

/** The sighting of a slot by a node, at the server that owned it. */
export interface SlotSighting {
  readonly server: RedisServer;
  /** The run of the server. */
  readonly runId: string;
  /** When the slot was last seen there with all of its keys, in milliseconds of this process. */
  readonly wholeAt: number;
  /** When it was last seen there, perhaps moving, in milliseconds of this process. */
  readonly ownedAt: number;
}

/** The time that the former owner may take to learn that the slot has moved, in milliseconds. */
const NEWS_MS = 1_000;
const PAUSE_MS = 10;

/**
 * True if it is proven that a slot went from one server to another without any loss of what was written to it: the former owner
 * is still the same run and a master, and says itself that the slot belongs to the other one; and the other one has been a
 * master in one run since before the slot began to move. So nothing was lost at the former owner before it handed the keys over,
 * nor since then at the new one. After a failover this is false: a master whose slots were taken by a failover becomes a
 * replica, and a replica that was promoted says so.
 *
 * Two moves with a failover between them would count as one move if both of them took less than `maxBlindMs`.
 * @param seen the last sighting of the slot at its former owner
 * @param to the new owner
 * @param key any key of the slot
 * @param maxBlindMs how long ago the slot may have been seen at its former owner, in milliseconds
 */
export async function isPlannedMove(
  seen: SlotSighting,
  to: RedisServer,
  key: string,
  maxBlindMs: number,
): Promise<boolean> {
  const { server: from, runId, wholeAt, ownedAt } = seen;
  if (performance.now() - ownedAt > maxBlindMs || !(await hasHandedOver(from, to, key))) return false;
  // The former owner answers in this order: it was a master after it had handed the slot over.
  const [fromInfo, toInfo] = await Promise.all([infoOf(from), infoOf(to)]);
  return (
    isMasterIn(fromInfo, runId) &&
    isMasterIn(toInfo, to.runId) &&
    infoField(toInfo, 'second_repl_offset') === '-1' &&
    leastUptimeMs(toInfo) > performance.now() - wholeAt
  );
}

async function hasHandedOver(from: RedisServer, to: RedisServer, key: string): Promise<boolean> {
  const until = performance.now() + NEWS_MS;
  for (;;) {
    const redirection = await command(from, ['EXISTS', key]).then(() => undefined, redirectionOrThrow);
    if (redirection?.kind === 'moved') return addressIn(redirection, from.address) === to.address;
    if (performance.now() > until) return false;
    await delay(PAUSE_MS);
  }
}

function redirectionOrThrow(error: unknown) {
  const redirection = redirectionIn(error);
  if (redirection === undefined) throw error;
  return redirection;
}

async function infoOf(server: RedisServer): Promise<string> {
  return String(await command(server, ['INFO', 'server', 'replication']));
}

function isMasterIn(info: string, runId: string): boolean {
  return infoField(info, 'run_id') === runId && infoField(info, 'role') === 'master';
}
