import { createClient, type RedisClientType } from '@redis/client';
import { onTestFinished } from 'vitest';
import { encodeFrame, type BusFrame } from '../../../lib/core/bus/bus-frame.js';
import type { Address } from '../../../lib/core/routing/address.js';
import type { EnvelopeContent } from '../../../lib/core/routing/envelope.js';
import type { RedisServer } from '../../helpers/redis-server.js';

/** The numbers of what Mallory says in a name of her own. */
let sequence = 0;

/** Somebody else who may publish to the Redis of the nodes. */
export class Mallory {
  private constructor(private readonly client: RedisClientType) {}

  /** She is gone when the test has finished. */
  static async connect({ url }: RedisServer): Promise<Mallory> {
    const client = createClient({ url }) as RedisClientType;
    client.on('error', () => undefined);
    onTestFinished(() => client.destroy());
    await client.connect();
    return new Mallory(client);
  }

  /** Publishes a text as it is. */
  async say(channel: string, text: string): Promise<void> {
    await this.client.publish(channel, text);
  }

  /** Publishes a frame, in a name of her own. */
  async forge(channel: string, frame: Forged): Promise<void> {
    await this.say(channel, forged(frame));
  }

  /** Publishes an envelope with this content, in a name of her own. */
  async send(channel: string, to: Address, content: EnvelopeContent): Promise<void> {
    await this.forge(channel, envelopeOf(to, content));
  }

  /** Everything that is said on a channel from now on. */
  async overhear(channel: string): Promise<readonly string[]> {
    const heard: string[] = [];
    const listener = this.client.duplicate();
    listener.on('error', () => undefined);
    onTestFinished(() => listener.destroy());
    await listener.connect();
    await listener.subscribe(channel, (text) => void heard.push(text));
    return heard;
  }
}

/** A frame without its start. */
export type Forged = BusFrame extends infer Frame
  ? Frame extends BusFrame
    ? Omit<Frame, 'origin' | 'sequence'>
    : never
  : never;

/** An envelope with this content. */
export function envelopeOf(to: Address, content: EnvelopeContent): Forged {
  return { kind: 'envelope', wantsReport: false, envelope: { to: [to], except: [], content } };
}

/** The text of a frame in Mallory's name, with the next of her numbers. */
export function forged(frame: Forged, origin = 'mallory'): string {
  return encodeFrame({ ...frame, origin, sequence: ++sequence });
}
