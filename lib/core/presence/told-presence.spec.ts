import { describe, expect, it } from 'vitest';
import type { Presence } from './presence.js';
import { asTold } from './told-presence.js';

const ANN = { userId: 'ann', info: 1, connections: 2 };
const BOB = { userId: 'bob', connections: 1 };
const ROOM: Presence = { topic: 'room', users: [ANN, BOB], userCount: 2, connectionCount: 3 };

describe('an answer that agrees with what was told', () => {
  it('is the answer itself where nothing is kept', () => {
    expect(asTold(ROOM, [])).toBe(ROOM);
  });

  it('lacks a user whose join is kept, with the connections', () => {
    expect(asTold(ROOM, [{ kind: 'left', userId: 'ann' }])).toEqual({
      ...ROOM,
      users: [BOB],
      userCount: 1,
      connectionCount: 1,
    });
  });

  it('has a user whose leave is kept, without connections', () => {
    expect(asTold(ROOM, [{ kind: 'joined', userId: 'cem', info: 3 }])).toEqual({
      ...ROOM,
      users: [ANN, BOB, { userId: 'cem', info: 3, connections: 0 }],
      userCount: 3,
    });
  });

  it('shows the info that was told', () => {
    const told = [
      { kind: 'updated', userId: 'ann', info: 7 },
      { kind: 'joined', userId: 'bob' },
    ] as const;
    expect(asTold(ROOM, told)).toEqual({ ...ROOM, users: [{ ...ANN, info: 7 }, BOB] });
  });

  it('stays as it is for who has left and is not in it', () => {
    expect(asTold(ROOM, [{ kind: 'left', userId: 'dan' }])).toEqual(ROOM);
  });

  it('has no further users in a list that is limited', () => {
    const limited = { ...ROOM, userCount: 9, connectionCount: 20 };
    expect(asTold(limited, [{ kind: 'joined', userId: 'cem' }])).toEqual(limited);
    expect(asTold(limited, [{ kind: 'left', userId: 'bob' }])).toMatchObject({ users: [ANN], userCount: 8 });
  });
});
