import { describe, expect, it } from 'vitest';
import { CentrifugeCodec } from '../../codecs/centrifuge/centrifuge-codec.js';
import { CentrifugeProtobufCodec } from '../../codecs/centrifuge/centrifuge-protobuf-codec.js';
import { JsonCodec } from '../../codecs/json/json-codec.js';
import type { Presence, PresenceMember } from '../../core/presence/presence.js';
import { fittingMembers } from './fitting-members.js';

const NOW = '2026-11-23T08:00:00.000Z';
const SHAPE = { maxDepth: 32, maxKeys: 1_000, maxValues: 10_000 };

const room = (count: number, member: Partial<PresenceMember>): Presence => ({
  topic: 'room',
  users: Array.from({ length: count }, (_, n) => ({ userId: `${n}`, connections: 9, ...member })),
  userCount: 20,
  connectionCount: 180,
});

describe('the members in one answer', () => {
  it('are all listed where they fit', () => {
    const presence = room(3, { info: 'x' });
    expect(fittingMembers(presence, 1_000)).toBe(presence);
  });

  it('are listed up to a number of bytes, and all counted', () => {
    const { users, ...counts } = fittingMembers(room(4, { info: 'x'.repeat(300) }), 1_000);
    expect([users.length, counts]).toEqual([2, { topic: 'room', userCount: 20, connectionCount: 180 }]);
    expect(fittingMembers(room(4, { info: 'ш'.repeat(300) }), 1_000).users.length).toBe(1);
    expect(fittingMembers(room(4, { userId: 'x'.repeat(300) }), 1_000).users.length).toBe(1);
  });

  it('are not listed when the first is larger than all may be', () => {
    expect(fittingMembers(room(1, { info: 'x'.repeat(2_000) }), 1_000).users).toEqual([]);
  });

  it.each([
    ['plain', new JsonCodec(SHAPE), 1],
    ['SDKs’', new CentrifugeCodec(SHAPE), 'presence:1'],
    ['SDKs’ binary', new CentrifugeProtobufCodec(SHAPE), 'presence:1'],
  ])('fit in the %s protocol, whatever makes them large', (_name, codec, id) => {
    for (const [userId, info] of [['"'], ['€'.repeat(99)], ['\\'.repeat(99), { '"': 'ш\n'.repeat(50) }]] as const) {
      const { users, ...counts } = room(2_000, { connections: 1_000 });
      const named = users.map((user, n) => ({ ...user, userId: `${userId}${n}`, info }));
      const presence = fittingMembers({ ...counts, users: named }, 50_000);
      const payload = codec.encodePush({ kind: 'presence', id, presence }, NOW)!;
      expect(presence.users.length).toBeGreaterThan(0);
      expect(Buffer.byteLength(payload)).toBeLessThan(50_000 + 200);
    }
  });
});
