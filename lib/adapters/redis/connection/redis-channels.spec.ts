import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashSlot } from './hash-slot.js';
import { RedisChannels } from './redis-channels.js';

const single = new RedisChannels('realtime', 0);
const cluster = new RedisChannels('realtime', 64);
const text = fc.string({ unit: fc.nat({ max: 0xffff }).map((unit) => String.fromCharCode(unit)) });

describe('a channel', () => {
  it('is the subject behind the prefix on a single server', () => {
    expect(single.of('user:ann')).toEqual({ name: 'realtime:user:ann', partition: 0 });
  });

  it('has its partition in braces in a Redis Cluster', () => {
    const { name, partition } = cluster.of('user:ann');
    expect(name).toBe(`realtime{${partition}}:user:ann`);
  });

  it('belongs to its partition by its name alone, whatever the subject', () => {
    fc.assert(
      fc.property(text, (subject) => {
        const { name, partition } = cluster.of(`user:${subject}`);
        expect([cluster.partitionOf(name), hashSlot(name)]).toEqual([partition, hashSlot(`{${partition}}`)]);
      }),
    );
  });

  it('differs for different subjects, also as UTF-8', () => {
    const bytes = (subject: string) => Buffer.from(single.of(subject).name).toString('hex');
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(bytes(a) === bytes(b)).toBe(a === b);
      }),
    );
  });

  it.each([
    ['half a pair', '\ud800', '\ufffd'],
    ['another half', '\ud800', '\udc00'],
    ['a half that was written out', '\ud800', '\ufffdd800'],
  ])('differs for %s and what it would become', (_what, a, b) => {
    expect(Buffer.from(single.of(a).name)).not.toEqual(Buffer.from(single.of(b).name));
  });

  it('spreads subjects over all partitions', () => {
    const used = new Set(Array.from({ length: 2_000 }, (_, i) => cluster.of(`user:${i}`).partition));
    expect(used.size).toBe(64);
  });
});

describe('hashSlot', () => {
  // CLUSTER KEYSLOT of a Redis 7.0 server.
  it.each([
    ['123456789', 12739],
    ['{0}', 13907],
    ['realtime{63}:user:x', 10499],
    ['foo', 12182],
  ])('puts %s where Redis puts it', (key, slot) => {
    expect(hashSlot(key)).toBe(slot);
  });
});
