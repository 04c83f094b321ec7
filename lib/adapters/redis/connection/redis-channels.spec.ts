import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashSlot } from './hash-slot.js';
import { RedisChannels } from './redis-channels.js';

const single = new RedisChannels('realtime', 0, 0);
const cluster = new RedisChannels('realtime', 0, 64);
const text = fc.string({ unit: fc.nat({ max: 0xffff }).map((unit) => String.fromCharCode(unit)) });

describe('a channel', () => {
  it('is the subject behind the prefix on a single server', () => {
    expect(single.of('user:ann')).toEqual({ name: 'realtime@0:user:ann', partition: 0 });
  });

  it('has the number of the database', () => {
    expect(new RedisChannels('realtime', 7, 0).of('all').name).toBe('realtime@7:all');
    expect(new RedisChannels('realtime', 7, 1).of('all').name).toBe('realtime@7{0}:all');
  });

  it('has its partition in braces in a Redis Cluster', () => {
    const { name, partition } = cluster.of('user:ann');
    expect(name).toBe(`realtime@0{${partition}}:user:ann`);
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

describe('a name', () => {
  const prefix = fc.stringMatching(/^[\w.:/-]{1,12}$/);
  /** Prefixes of which one begins with the other are the ones that could collide. */
  const prefixes = fc.oneof(
    fc.tuple(prefix, prefix),
    fc
      .tuple(prefix, fc.constantFrom(':topic', ':user', ':history', ':bus', '0:', ':'))
      .map(([a, b]) => [a, a + b] as const),
  );
  const database = fc.nat({ max: 20 });
  const partitions = fc.constantFrom(0, 1, 64);
  /** Texts that differ only in what UTF-8 cannot encode are the ones that could share a name. */
  const halves = fc.constantFrom('\ud800', '\udc00', '\ufffd', '\ufffdd800');
  const name = fc.oneof(text, halves, fc.constantFrom('topic:x', 'user:x', 'x', '{0}', '@0:topic:x', 'bus', 'all'));

  /** All names that are made of one text, by their kind. */
  function namesOf(channels: RedisChannels, said: string): Readonly<Record<string, string>> {
    const at = channels.of(`topic:${said}`);
    const [position, publications, term] = channels.historyOf(said, at);
    const [expiries, leases] = channels.leases;
    // The package makes the ids of nodes, of ASCII alone.
    const node = /^[\x20-\x7e]*$/.test(said) ? said : Buffer.from(said, 'utf16le').toString('base64url');
    return {
      all: channels.of('all').name,
      user: channels.of(`user:${said}`).name,
      role: channels.of(`role:${said}`).name,
      topic: at.name,
      node: channels.of(`node:${node}`).name,
      everybody: channels.everybody.name,
      answers: channels.answersTo(node).name,
      probe: channels.probe(node, at.partition).name,
      position,
      publications,
      term,
      once: channels.onceOf('chat:1', said, at),
      orders: channels.ordersOf(at.partition),
      expiries,
      leases,
      presence: channels.presenceOf(at.partition),
      members: channels.membersOf(said, at.partition),
      reply: channels.lastReplyTo(node, at.partition),
    };
  }
  const bytes = (each: string) => Buffer.from(each).toString('hex');

  it('of one prefix and database is never one of another', () => {
    fc.assert(
      fc.property(prefixes, database, database, partitions, partitions, name, name, (pair, dbA, dbB, sA, sB, a, b) => {
        fc.pre(pair[0] !== pair[1] || dbA !== dbB);
        const mine = Object.values(namesOf(new RedisChannels(pair[0], dbA, sA), a)).map(bytes);
        const others = new Set(Object.values(namesOf(new RedisChannels(pair[1], dbB, sB), b)).map(bytes));
        expect(mine.filter((each) => others.has(each))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('of one kind is never one of another kind, nor of another text', () => {
    fc.assert(
      fc.property(partitions, name, name, (count, a, b) => {
        const channels = new RedisChannels('realtime', 0, count);
        const [mine, others] = [namesOf(channels, a), namesOf(channels, b)];
        const fixed = new Set(['all', 'everybody', 'term', 'orders', 'expiries', 'leases', 'presence']);
        for (const [kind, each] of Object.entries(mine)) {
          for (const [otherKind, other] of Object.entries(others)) {
            if (bytes(each) !== bytes(other)) continue;
            expect(kind).toBe(otherKind);
            expect(a === b || fixed.has(kind)).toBe(true);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('in a Redis Cluster is in the slot of its partition, and that of leases in one of its own', () => {
    fc.assert(
      fc.property(prefix, name, (start, said) => {
        const channels = new RedisChannels(start, 0, 64);
        const { partition } = channels.of(`topic:${said}`);
        const { position, publications, term, once, orders, presence, members, reply, probe, topic, ...rest } = namesOf(
          channels,
          said,
        );
        const together = [position, publications, term, once, orders, presence, members, reply, probe, topic];
        expect(new Set(together.map((each) => hashSlot(each!)))).toEqual(new Set([channels.slotOf(partition)]));
        expect(hashSlot(rest['expiries']!)).toBe(hashSlot(rest['leases']!));
      }),
    );
  });

  it('fits the two patterns of the ACL in the documentation, and no other prefix does', () => {
    const channels = new RedisChannels('realtime', 3, 64);
    for (const each of Object.values(namesOf(channels, 'x'))) expect(each).toMatch(/^realtime@/);
    for (const each of Object.values(namesOf(new RedisChannels('realtime:topic', 3, 0), 'x'))) {
      expect(each).not.toMatch(/^realtime@/);
    }
  });
});

describe('hashSlot', () => {
  // CLUSTER KEYSLOT of a Redis 7.0 server.
  it.each([
    ['123456789', 12739],
    ['{0}', 13907],
    ['realtime@0{63}:user:x', 10499],
    ['foo', 12182],
  ])('puts %s where Redis puts it', (key, slot) => {
    expect(hashSlot(key)).toBe(slot);
  });
});
