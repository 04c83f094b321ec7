import type { Envelope } from '../../../core/routing/envelope.js';
import type { RedisChannel } from '../connection/redis-channels.js';
import { TICK_MS } from '../connection/redis-connection.js';

/**
 * How long an envelope may take to come back once Redis has it, in milliseconds; then nothing else would come either. What
 * is served directly then is still in time for its report.
 */
const OVERDUE_MS = 800;

/** An envelope of this node that this node is to get from Redis like everybody else. */
interface PendingEcho {
  readonly envelope: Envelope;
  readonly channel: RedisChannel;
  /** When Redis said that it has it, in ticks; until then its answer is waited for. */
  sentAt: number | undefined;
}

/**
 * The envelopes that are on their way to Redis and back, oldest first. What does not come back is served directly, in
 * its order; should it come back after all, it was heard already.
 */
export class PendingEchoes {
  readonly #echoes = new Map<number, PendingEcho>();
  #ticks = 0;

  add(sequence: number, channel: RedisChannel, envelope: Envelope): void {
    this.#echoes.set(sequence, { envelope, channel, sentAt: undefined });
  }

  /** Redis has it. */
  sent(sequence: number): void {
    const copy = this.#echoes.get(sequence);
    if (copy) copy.sentAt = this.#ticks;
  }

  /** It has come back. */
  arrived(sequence: number): void {
    this.#echoes.delete(sequence);
  }

  /** Takes out what is on its way in a partition, up to a sequence. */
  *take(partition: number, upTo = Infinity): Iterable<readonly [sequence: number, envelope: Envelope]> {
    for (const [sequence, copy] of this.#echoes) {
      if (sequence > upTo) return;
      if (copy.channel.partition !== partition) continue;
      this.#echoes.delete(sequence);
      yield [sequence, copy.envelope];
    }
  }

  /** Called every tick. @returns an envelope that should have come back long ago, and from where */
  tick(): readonly [sequence: number, channel: RedisChannel] | undefined {
    this.#ticks += 1;
    for (const [sequence, { sentAt, channel }] of this.#echoes) {
      if (sentAt === undefined) continue;
      return (this.#ticks - sentAt) * TICK_MS > OVERDUE_MS ? [sequence, channel] : undefined;
    }
    return undefined;
  }
}
