import { describe, expect, it } from 'vitest';
import type { Presence } from './presence.js';
import { asHeard } from './heard-presence.js';

const ANN = { userId: 'ann', info: 1, connections: 2 };
const BOB = { userId: 'bob', connections: 1 };
const ROOM: Presence = { topic: 'room', users: [ANN, BOB], userCount: 2, connectionCount: 3 };

describe('an answer with the changes that were heard since it was read', () => {
  it('is the answer itself where nothing was heard', () => {
    expect(asHeard(ROOM, [])).toBe(ROOM);
  });

  it('lacks a user who has left, with the connections', () => {
    expect(asHeard(ROOM, [{ kind: 'left', userId: 'ann' }])).toEqual({
      ...ROOM,
      users: [BOB],
      userCount: 1,
      connectionCount: 1,
    });
  });

  it('has a user who has joined, with one connection', () => {
    expect(asHeard(ROOM, [{ kind: 'joined', userId: 'cem', info: 3 }])).toEqual({
      ...ROOM,
      users: [ANN, BOB, { userId: 'cem', info: 3, connections: 1 }],
      userCount: 3,
      connectionCount: 4,
    });
  });

  it('shows the info that was heard', () => {
    const heard = [
      { kind: 'updated', userId: 'ann', info: 7 },
      { kind: 'joined', userId: 'bob' },
    ] as const;
    expect(asHeard(ROOM, heard)).toEqual({ ...ROOM, users: [{ ...ANN, info: 7 }, BOB] });
  });

  it('stays as it is for who has left and is not in it', () => {
    expect(asHeard(ROOM, [{ kind: 'left', userId: 'dan' }])).toEqual(ROOM);
  });

  it('has no further users in a list that is limited', () => {
    const limited = { ...ROOM, userCount: 9, connectionCount: 20 };
    expect(asHeard(limited, [{ kind: 'joined', userId: 'cem' }])).toEqual(limited);
    expect(asHeard(limited, [{ kind: 'left', userId: 'bob' }])).toMatchObject({ users: [ANN], userCount: 8 });
  });
});
