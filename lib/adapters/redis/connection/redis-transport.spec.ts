import { beforeEach, describe, expect, it } from 'vitest';
import { encodeFrame, type BusFrame } from '../../../core/bus/bus-frame.js';
import { topic } from '../../../core/routing/address.js';
import type { EnvelopeContent } from '../../../core/routing/envelope.js';
import type { RedisNetwork } from './redis-network.js';
import { RedisTransport } from './redis-transport.js';

const FAR_AHEAD = 9_000_000_000_000_000;

let transport: RedisTransport;
let taken: number;

beforeEach(() => {
  transport = new RedisTransport({} as RedisNetwork, 1_000_000);
  taken = 0;
  transport.open('me', () => (taken += 1));
});

/** A frame arrives. @returns true if it is taken for new */
function isTaken(name: string, sequence: number, content: EnvelopeContent): boolean {
  const frame: BusFrame = {
    kind: 'envelope',
    origin: 'another',
    sequence,
    wantsReport: false,
    envelope: { to: [topic(name)], except: [], content },
  };
  const before = taken;
  transport.hear(encodeFrame(frame), `realtime@0:topic:${name}`, 0, true);
  return taken > before;
}

const joined = (sequence: number) =>
  ({ kind: 'joined', userId: 'ann', at: { epoch: 'another', sequence, previous: 0 } }) as const;

describe('a frame that arrives', () => {
  it('is taken once', () => {
    expect([7, 7, 6, 8].map((sequence) => isTaken('feed', sequence, { kind: 'revalidate' }))).toEqual([
      true,
      false,
      false,
      true,
    ]);
    expect(transport.stats.repeated).toBe(2);
  });

  it('is taken after forged news of presence that are far ahead, be it of its node or news of another topic', () => {
    expect(isTaken('forged', FAR_AHEAD, joined(FAR_AHEAD))).toBe(true);
    expect(isTaken('chat', 7, joined(7))).toBe(true);
    expect(isTaken('feed', 8, { kind: 'revalidate' })).toBe(true);
  });
});
