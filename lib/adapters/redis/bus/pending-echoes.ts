import type { Envelope } from '../../../core/routing/envelope.js';
import type { RedisChannel } from '../connection/redis-channels.js';
import { TICK_MS } from '../connection/redis-connection.js';

/**
 * The timeout for an envelope to come back once Redis has it, in milliseconds; after it, nothing else would come back either.
 * It is short enough that an envelope served directly then is still in time for its report.
 */
const OVERDUE_MS = 800;

/** An envelope of this node that this node expects back from Redis, like every other node. */
interface PendingEcho {
  readonly envelope: Envelope;
  readonly channel: RedisChannel;
  /** The tick in which Redis confirmed it; undefined until then. */
  sentAt: number | undefined;
}

/**
 * The envelopes that are on their way to Redis and back, oldest first. An envelope that does not come back is served
 * directly, in order; if it comes back after all, it counts as a duplicate.
 */
export class PendingEchoes {
  readonly #echoes = new Map<number, PendingEcho>();
  #ticks = 0;

  add(sequence: number, channel: RedisChannel, envelope: Envelope): void {
    this.#echoes.set(sequence, { envelope, channel, sentAt: undefined });
  }

  /** Records that Redis has confirmed it. */
  sent(sequence: number): void {
    const copy = this.#echoes.get(sequence);
    if (copy) copy.sentAt = this.#ticks;
  }

  /** Records that it has come back. */
  arrived(sequence: number): void {
    this.#echoes.delete(sequence);
  }

  /** Removes and returns the pending envelopes of a partition, up to a sequence. */
  *take(partition: number, upTo = Infinity): Iterable<readonly [sequence: number, envelope: Envelope]> {
    for (const [sequence, copy] of this.#echoes) {
      if (sequence > upTo) return;
      if (copy.channel.partition !== partition) continue;
      this.#echoes.delete(sequence);
      yield [sequence, copy.envelope];
    }
  }

  /** Called every tick. @returns an envelope that is overdue, and its channel */
  tick(): readonly [sequence: number, channel: RedisChannel] | undefined {
    this.#ticks += 1;
    for (const [sequence, { sentAt, channel }] of this.#echoes) {
      if (sentAt === undefined) continue;
      return (this.#ticks - sentAt) * TICK_MS > OVERDUE_MS ? [sequence, channel] : undefined;
    }
    return undefined;
  }
}
