import { RESTORED_CHANNELS, type RedisChannels } from '../connection/redis-channels.js';
import { command } from '../connection/redis-network.js';
import type { RedisServer } from '../connection/redis-server.js';

/** The other nodes that hold a live lease. */
export interface LeaseHolders {
  /** Their ids. */
  liveOthers(): readonly string[];
  isLive(id: string): boolean;
}

/** A message that was published. @see NodeCoverage.check for the baseline */
type Published = readonly [sequence: number, partition: number, baseline: number];

/** The numbers of nodes that have lost and restored their subscriptions to a partition, by the channels that tell it. */
interface Restores {
  /** The run of the server. */
  readonly runId: string;
  /** When they were asked for, in milliseconds of this process. */
  askedAt: number;
  /** Missing until Redis has answered. */
  counts: readonly number[] | undefined;
  /** The baseline of the messages that are published from now on. */
  baseline: number;
  /** The oldest baseline after which no node was found to have restored its subscriptions. */
  since: number;
}

/** The time after which the numbers of restores are asked for again, in milliseconds. */
const FRESH_MS = 1_000;

/** The checks of one server: at most one is in flight, and it covers everything published before it was sent. */
interface Checks {
  waiting: Published[];
  isBusy: boolean;
}

/**
 * Checks whether a message published on a server could reach every node. Redis returns the number of nodes that received a
 * message, not the nodes that should have: a node that is cut off has lost its subscriptions there, while its lease is still
 * valid. So the check asks Redis, right after the message, whether each live node's own channel in the partition of the message is
 * subscribed there. Other partitions of the server tell nothing: after the slot of one has moved there, a node may be subscribed
 * to their channels, and not yet to those of the moved slot.
 *
 * A node that restores its subscriptions after the message, and before the check, has missed it. It then appears on another
 * channel than before: the check compares the subscribers of these channels with what they were before the message.
 */
export class NodeCoverage {
  readonly #checks = new Map<RedisServer, Checks>();
  readonly #restores = new WeakMap<RedisServer, Map<number, Restores>>();
  #baselines = 0;
  /** The channels that tell the restores in each partition. */
  readonly #names: (readonly string[])[] = [];

  /** @param settle receives for each sequence whether every live node was reachable right after it */
  constructor(
    private readonly channels: RedisChannels,
    private readonly nodes: LeaseHolders,
    private readonly settle: (sequence: number, isCovered: boolean) => void,
  ) {}

  /** True while another node exists. */
  get isNeeded(): boolean {
    return this.nodes.liveOthers().length > 0;
  }

  /**
   * Called in the turn in which the message is published, before it: the check is sent after it, at the end of the turn.
   * @returns the baseline of the message, for {@link checkAgain}: a restore that is found later has a higher one
   */
  check(server: RedisServer, sequence: number, partition: number): number {
    const { baseline } = this.#ask(server, partition);
    this.checkAgain(server, sequence, partition, baseline);
    return baseline;
  }

  /** Called after the message was published, which was too late for the first check. @param baseline what that check returned */
  checkAgain(server: RedisServer, sequence: number, partition: number, baseline: number): void {
    let checks = this.#checks.get(server);
    if (checks === undefined) this.#checks.set(server, (checks = { waiting: [], isBusy: false }));
    checks.waiting.push([sequence, partition, baseline]);
    if (!checks.isBusy) this.#schedule(server, checks);
  }

  /** Asks for the restores before a message, unless they are known from a moment ago. The answer comes before that of the check. */
  #ask(server: RedisServer, partition: number): Restores {
    let restores = this.#restores.get(server);
    if (restores === undefined) this.#restores.set(server, (restores = new Map()));
    const known = restores.get(partition);
    const now = performance.now();
    // Messages that wait for a check are compared with what was known before them.
    const hasWaiting = (this.#checks.get(server)?.waiting.length ?? 0) > 0;
    const before = known?.runId === server.runId ? known : undefined;
    if (before !== undefined && (hasWaiting || now - before.askedAt < FRESH_MS)) return before;
    // An answer that is under way is compared with what was known before.
    const baseline = ++this.#baselines;
    const { counts, since = baseline } = before ?? {};
    const asked: Restores = { runId: server.runId, askedAt: now, counts, baseline, since };
    restores.set(partition, asked);
    this.#subscribers(server, this.#restoredIn(partition)).then(
      (found) => note(asked, found, baseline),
      () => restores.get(partition) === asked && restores.delete(partition),
    );
    return asked;
  }

  #schedule(server: RedisServer, checks: Checks): void {
    checks.isBusy = true;
    queueMicrotask(() => {
      const published = checks.waiting;
      checks.waiting = [];
      void this.#check(server, checks, published);
    });
  }

  async #check(server: RedisServer, checks: Checks, published: readonly Published[]): Promise<void> {
    const covered = await this.#coveredAmong(server, new Set(published.map(([, partition]) => partition)));
    for (const [sequence, partition, baseline] of published) {
      this.settle(sequence, baseline >= (covered.get(partition) ?? Infinity));
    }
    checks.isBusy = false;
    if (checks.waiting.length > 0) this.#schedule(server, checks);
    else this.#checks.delete(server);
  }

  /** @returns the partitions in which every live node is subscribed on the server, and the oldest baseline since which it has been */
  async #coveredAmong(server: RedisServer, partitions: ReadonlySet<number>): Promise<ReadonlyMap<number, number>> {
    const ids = this.nodes.liveOthers();
    if (ids.length === 0) return new Map(Array.from(partitions, (partition) => [partition, 0]));
    const askedAt = performance.now();
    const asked = Array.from(partitions, (partition) => [
      ...this.#restoredIn(partition),
      ...ids.map((id) => this.channels.probe(id, partition).name),
    ]);
    try {
      const counts = await this.#subscribers(server, asked.flat());
      const covered = new Map<number, number>();
      for (const [place, partition] of [...partitions].entries()) {
        const start = place * (RESTORED_CHANNELS + ids.length);
        const own = start + RESTORED_CHANNELS;
        const since = this.#sinceWhen(server, partition, counts.slice(start, own), askedAt);
        // A node that has ended meanwhile is not missing.
        const areThere = ids.every((id, index) => counts[own + index]! > 0 || !this.nodes.isLive(id));
        if (areThere) covered.set(partition, since);
      }
      return covered;
    } catch {
      return NONE;
    }
  }

  /** Notes the restores in a partition. @returns the oldest baseline after which there were no more; `Infinity` if that is unknown */
  #sinceWhen(server: RedisServer, partition: number, counts: readonly number[], askedAt: number): number {
    const known = this.#restores.get(server)?.get(partition);
    if (known === undefined || known.runId !== server.runId) return Infinity;
    if (known.counts === undefined || hasMore(counts, known.counts)) known.since = known.baseline = ++this.#baselines;
    known.counts = counts;
    known.askedAt = askedAt;
    return known.since;
  }

  #restoredIn(partition: number): readonly string[] {
    return (this.#names[partition] ??= Array.from({ length: RESTORED_CHANNELS }, (_, restores) =>
      this.channels.restored(restores, partition),
    ));
  }

  async #subscribers(server: RedisServer, names: readonly string[]): Promise<readonly number[]> {
    const reply = await command(server, ['PUBSUB', server.isSharded ? 'SHARDNUMSUB' : 'NUMSUB', ...names]);
    const pairs: readonly unknown[] = Array.isArray(reply) ? reply : [];
    return names.map((_, index) => Number(pairs[index * 2 + 1]) || 0);
  }
}

/** Notes what was found before the messages with this baseline. */
function note(restores: Restores, counts: readonly number[], baseline: number): void {
  const { counts: before, since } = restores;
  if (before !== undefined && hasMore(counts, before)) restores.since = Math.max(since, baseline);
  restores.counts = counts;
}

function hasMore(counts: readonly number[], before: readonly number[]): boolean {
  return counts.some((count, index) => count > before[index]!);
}

const NONE: ReadonlyMap<number, number> = new Map();
