import { setImmediate as nextTurn } from 'node:timers/promises';
import { connection, OnSubscribe, TopicGateway } from 'nestjs-realtime';
import type { ReceivedFrame } from 'nestjs-realtime/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startRealtimeApp, typesReceivedBy, type Guest, type RealtimeApp } from '../../helpers/realtime-app.js';

/** More than are served in one turn in any case. */
const MEMBERS = 300;
const ROOM = 'room:1';
/** A deadline on a machine that is busy with other things, in milliseconds. */
const SOON_MS = 15_000;

@TopicGateway('room:{id}', { presence: true })
class Rooms {
  @OnSubscribe()
  enter() {
    return true;
  }
}

let app: RealtimeApp;
let members: Guest[];
let outsider: Guest;

beforeEach(async () => {
  app = await startRealtimeApp({ providers: [Rooms], options: { drain: { timeoutMs: 20_000 } } });
  members = [];
  while (members.length < MEMBERS) {
    members.push(
      ...(await Promise.all(Array.from({ length: 50 }, (_, n) => app.connectAs(`user-${members.length + n}`)))),
    );
  }
  outsider = await app.connectAs('outsider');
  await Promise.all(members.map((member) => member.request({ action: 'subscribe', topic: ROOM }, SOON_MS)));
});

afterEach(() => vi.restoreAllMocks());

/** Each look at the clock takes four milliseconds, so that a turn serves about 64 recipients, however fast the machine is. */
function slowClock(): void {
  const start = performance.now();
  let looks = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => start + 4 * ++looks);
}

/** A clock that stands still does not end a slice. */
function stoppedClock(): void {
  const start = performance.now();
  vi.spyOn(performance, 'now').mockImplementation(() => start);
}

/** @returns the result of the work, and how many turns of the event loop have passed until then */
async function countingTurns<T>(work: Promise<T>): Promise<[result: T, turns: number]> {
  const progress = { isOver: false };
  const result = work.finally(() => (progress.isOver = true));
  let turns = 0;
  for (; !progress.isOver; turns++) await nextTurn();
  return [await result, turns];
}

const message = (type: string) => ({ type });
const isJoin = ({ type }: ReceivedFrame) => type === 'realtime:joined';

describe('a message to a large room', () => {
  it('leaves turns to others until everybody has it, and is reported as a whole', async () => {
    slowClock();
    const [report, turns] = await countingTurns(app.realtime.publish(ROOM, message('a')));
    expect(report).toMatchObject({ recipients: MEMBERS, nodes: 1, complete: true });
    expect(turns).toBeGreaterThanOrEqual(4);
    for (const member of members) await member.next('a', SOON_MS);
    expect(await typesReceivedBy(outsider)).toEqual([]);
  });

  it('would take one turn if its slice did not end', async () => {
    stoppedClock();
    const [report, turns] = await countingTurns(app.realtime.publish(ROOM, message('a')));
    expect(report).toMatchObject({ recipients: MEMBERS });
    expect(turns).toBeLessThanOrEqual(1);
  });

  it('is in its place for everybody, whatever is sent behind it', async () => {
    slowClock();
    const last = members.at(-1)!;
    const reports = await Promise.all([
      app.realtime.publish(ROOM, message('a')),
      app.realtime.broadcast(message('b')),
      app.realtime.sendToConnection(last.id, message('c')),
      app.realtime.publish(ROOM, message('d')),
    ]);
    expect(reports.map(({ recipients }) => recipients)).toEqual([MEMBERS, MEMBERS + 1, 1, MEMBERS]);
    for (const member of members) await member.next('d', SOON_MS);
    expect(last.pending.map(({ type }) => type).filter((type) => type !== 'realtime:ping')).toEqual(['a', 'b', 'c']);
    for (const member of members.slice(0, -1)) {
      expect(member.pending.map(({ type }) => type).filter((type) => type !== 'realtime:ping')).toEqual(['a', 'b']);
    }
    expect(await typesReceivedBy(outsider)).toEqual(['b']);
  });

  it('reaches one who is taken off the room or disconnected behind it, and nobody who enters behind it', async () => {
    slowClock();
    const [left, closed] = members.slice(-2) as [Guest, Guest];
    const sent = app.realtime.publish(ROOM, message('a'));
    const changed = [
      app.realtime.unsubscribe(left.id, ROOM),
      app.realtime.disconnect(connection(closed.id)),
      app.realtime.subscribe(outsider.id, ROOM),
    ];
    const next = app.realtime.publish(ROOM, message('b'));
    await Promise.all(changed);
    expect([(await sent).recipients, (await next).recipients]).toEqual([MEMBERS, MEMBERS - 1]);
    await closed.nextClose(SOON_MS);
    expect(await typesReceivedBy(left)).toEqual(['a', 'realtime:unsubscribed']);
    expect(closed.pending.map(({ type }) => type)).toEqual(['a']);
    expect(await typesReceivedBy(outsider)).toEqual(['realtime:subscribed', 'b']);
  });

  it('comes before the close when the server shuts down', async () => {
    slowClock();
    const sent = app.realtime.publish(ROOM, message('goodbye'));
    await app.realtime.drain();
    expect((await sent).recipients).toBe(MEMBERS);
    for (const member of members) {
      expect((await member.nextClose(SOON_MS)).code).toBe(3001);
      expect(member.pending.map(({ type }) => type)).toContain('goodbye');
    }
  });
});

describe('a join in a room with many watchers', () => {
  it('is told to each of them once', async () => {
    await Promise.all(
      members.map((member) => member.request({ action: 'subscribe', topic: ROOM, presence: true }, SOON_MS)),
    );
    slowClock();
    await outsider.request({ action: 'subscribe', topic: ROOM }, SOON_MS);
    for (const member of members) await member.next((frame) => isJoin(frame), SOON_MS);
    vi.restoreAllMocks();
    await Promise.all(members.map((member) => member.request({ action: 'ping' }, SOON_MS)));
    const repeated = members.filter((member) => member.pending.some((frame) => isJoin(frame)));
    expect(repeated).toHaveLength(0);
  });
});
