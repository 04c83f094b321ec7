import {
  all,
  connection,
  RealtimeArgumentError,
  role,
  topic,
  user,
  type Address,
  type RealtimeService,
} from 'nestjs-realtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { typesReceivedBy } from '../../helpers/realtime-app.js';
import { Stage, type StageGuest } from '../../helpers/stage.js';

const NEWS = { type: 'news' };
/** Arguments that TypeScript would refuse. */
const wrong = (value: unknown) => value as never;
const sending = (message: unknown) => (realtime: RealtimeService) => realtime.broadcast(wrong(message));
const carrying = (payload: unknown) => sending({ type: 'news', payload });

async function* NO_SOURCE() {}

const cycle: { self?: unknown } = {};
cycle.self = cycle;

type Call = (realtime: RealtimeService, connectionId: string) => Promise<unknown>;

const CASES: readonly (readonly [what: string, argument: string, call: Call])[] = [
  ['an empty user id', 'userId', (realtime) => realtime.sendToUser('', NEWS)],
  ['a user id that is a number', 'userId', (realtime) => realtime.sendToUser(wrong(42), NEWS)],
  ['no user id', 'userId', (realtime) => realtime.sendToUser(wrong(undefined), NEWS)],
  ['an empty role', 'role', (realtime) => realtime.sendToRole('', NEWS)],
  ['a role that is null', 'role', (realtime) => realtime.sendToRole(wrong(null), NEWS)],
  ['an empty connection id', 'connectionId', (realtime) => realtime.sendToConnection('', NEWS)],
  [
    'a connection in place of its id',
    'connectionId',
    (realtime) => realtime.sendToConnection(wrong({ id: '1' }), NEWS),
  ],
  ['an empty topic', 'topic', (realtime) => realtime.publish('', NEWS)],
  ['a topic of 256 characters', 'topic', (realtime) => realtime.publish('x'.repeat(256), NEWS)],
  ['a topic with a space', 'topic', (realtime) => realtime.publish('order 1', NEWS)],
  ['a topic with a quote', 'topic', (realtime) => realtime.publish('a"b', NEWS)],
  ['a topic with the reserved #', 'topic', (realtime) => realtime.publish('order#1', NEWS)],
  ['a pattern in place of a topic', 'topic', (realtime) => realtime.publish('order:{id}', NEWS)],
  ['a topic beyond ASCII', 'topic', (realtime) => realtime.publish('größe', NEWS)],
  ['a topic with a line break', 'topic', (realtime) => realtime.publish('order:1\n', NEWS)],
  ['a topic that is a list', 'topic', (realtime) => realtime.publish(wrong(['order:1']), NEWS)],

  ['who is in no topic', 'topic', (realtime) => realtime.usersIn('')],
  ['whether nobody is online', 'userId', (realtime) => realtime.isOnline('')],

  ['a stream to an empty topic', 'topic', (realtime) => realtime.stream('', NO_SOURCE)],
  ['a stream to a topic with the reserved #', 'topic', (realtime) => realtime.stream('#stream:a', NO_SOURCE)],
  ['a stream to a topic without a history', 'topic', (realtime) => realtime.stream('news', NO_SOURCE)],
  ['a stream without a source', 'source', (realtime) => realtime.stream('news', wrong(undefined))],
  ['a stream of a generator that was called', 'source', (realtime) => realtime.stream('news', wrong(NO_SOURCE()))],
  ['a stream with an empty id', 'id', (realtime) => realtime.stream('news', NO_SOURCE, { id: '' })],
  ['a stream with an id that has a space', 'id', (realtime) => realtime.stream('news', NO_SOURCE, { id: 'a b' })],
  ['a stream of a reserved type', 'type', (realtime) => realtime.stream('news', NO_SOURCE, { type: 'realtime:x' })],
  ['a stream with half a byte', 'maxBytes', (realtime) => realtime.stream('news', NO_SOURCE, { maxBytes: 4.5 })],
  ['a stream that waits for ever', 'flushMs', (realtime) => realtime.stream('news', NO_SOURCE, { flushMs: Infinity })],
  ['to stop a stream of no id', 'id', (realtime) => realtime.stopStream('news', wrong(undefined))],

  ['no message', 'message', sending(undefined)],
  ['a message that is null', 'message', sending(null)],
  ['a message that is a string', 'message', sending('news')],
  ['a message that is a list', 'message', sending([NEWS])],
  ['a message without a type', 'type', sending({ payload: 1 })],
  ['an empty type', 'type', sending({ type: '' })],
  ['a type that is a number', 'type', sending({ type: 1 })],
  ['a reserved type', 'type', sending({ type: 'realtime:welcome' })],
  ['a type of 256 characters', 'type', sending({ type: 'x'.repeat(256) })],
  ['a timestamp that is a Date', 'timestamp', sending({ type: 'news', timestamp: new Date() })],
  ['a timestamp that is a number', 'timestamp', sending({ type: 'news', timestamp: 1 })],
  ['a timestamp without milliseconds', 'timestamp', sending({ type: 'news', timestamp: '2026-01-31T12:00:00Z' })],
  ['a timestamp in prose', 'timestamp', sending({ type: 'news', timestamp: 'yesterday' })],
  ['a timestamp that is null', 'timestamp', sending({ type: 'news', timestamp: null })],

  ['a BigInt', 'payload', carrying(1n)],
  ['a BigInt inside', 'payload.total', carrying({ total: 1n })],
  ['a cycle', 'payload', carrying(cycle)],
  ['a function', 'payload', carrying(() => 1)],
  ['a symbol', 'payload', carrying(Symbol('s'))],
  ['NaN', 'payload', carrying(NaN)],
  ['Infinity', 'payload', carrying(Infinity)],
  ['a Map', 'payload', carrying(new Map([['a', 1]]))],
  ['a Set', 'payload', carrying(new Set([1]))],
  ['an invalid Date inside a throwing toJSON()', 'payload', carrying({ toJSON: () => new Date(NaN).toISOString() })],

  ['an address that is a string', 'address', (realtime) => realtime.to(wrong('ann')).send(NEWS)],
  ['an address that is null', 'address', (realtime) => realtime.to(wrong(null)).send(NEWS)],
  ['a list of addresses', 'address', (realtime) => realtime.to(wrong([user('ann')])).send(NEWS)],
  ['an address of an unknown kind', 'address', (realtime) => realtime.to(wrong({ kind: 'node', id: '1' })).send(NEWS)],
  ['an address without a kind', 'address', (realtime) => realtime.to(wrong({ id: 'ann' })).send(NEWS)],
  ['an address without an id', 'userId', (realtime) => realtime.to(wrong({ kind: 'user' })).send(NEWS)],
  [
    'an address with an id of another type',
    'role',
    (realtime) => realtime.to(wrong({ kind: 'role', id: 1 })).send(NEWS),
  ],
  ['one bad address among good ones', 'topic', (realtime) => realtime.to(all(), user('ann'), topic('a b')).send(NEWS)],
  ['a bad exception', 'userId', (realtime) => realtime.to(all()).except(user('')).send(NEWS)],
  ['an exception that is no address', 'address', (realtime) => realtime.to(all()).except(wrong(undefined)).send(NEWS)],
  ['a bad message to nobody', 'type', (realtime) => realtime.to().send(wrong({}))],

  ['subscribing an empty connection id', 'connectionId', (realtime) => realtime.subscribe('', 'feed')],
  ['subscribing to a bad topic', 'topic', (realtime, id) => realtime.subscribe(id, 'a b')],
  ['subscribing to a topic of 256 characters', 'topic', (realtime, id) => realtime.subscribe(id, 'x'.repeat(256))],
  ['unsubscribing an empty connection id', 'connectionId', (realtime) => realtime.unsubscribe('', 'feed')],
  ['unsubscribing from a bad topic', 'topic', (realtime, id) => realtime.unsubscribe(id, '')],
  ['unsubscribing for no reason', 'reason', (realtime, id) => realtime.unsubscribe(id, 'feed', { reason: '' })],

  ['disconnecting nobody in particular', 'address', (realtime) => realtime.disconnect(wrong(undefined))],
  ['disconnecting by name', 'address', (realtime) => realtime.disconnect(wrong('ann'))],
  ['disconnecting an empty user id', 'userId', (realtime) => realtime.disconnect(user(''))],
  ['disconnecting an empty role', 'role', (realtime) => realtime.disconnect(role(''))],
  ['disconnecting an empty connection id', 'connectionId', (realtime) => realtime.disconnect(connection(''))],
  ['disconnecting for no reason', 'reason', (realtime) => realtime.disconnect(all(), { reason: '' })],
  ['disconnecting for a blank reason', 'reason', (realtime) => realtime.disconnect(all(), { reason: ' \n' })],
  ['a reason that clients read as a number', 'reason', (realtime) => realtime.disconnect(all(), { reason: '429' })],
  ['a reason of 124 bytes', 'reason', (realtime) => realtime.disconnect(all(), { reason: 'x'.repeat(124) })],
  [
    'a reason of 62 characters and 124 bytes',
    'reason',
    (realtime) => realtime.disconnect(all(), { reason: 'ü'.repeat(62) }),
  ],
  ['a reason that is a number', 'reason', (realtime) => realtime.disconnect(all(), { reason: wrong(7) })],

  ['revalidating nobody in particular', 'address', (realtime) => realtime.revalidate(wrong(null))],
  ['revalidating an empty user id', 'userId', (realtime) => realtime.revalidate(user(''))],
  ['changing the rights of a bad topic', 'topic', (realtime) => realtime.changeRights(topic('a b'), { roles: [] })],
  ['changing no rights', 'rights', (realtime) => realtime.changeRights(all(), {})],
  ['changing rights that are null', 'rights', (realtime) => realtime.changeRights(all(), wrong(null))],
  ['changing roles to a string', 'roles', (realtime) => realtime.changeRights(all(), { roles: wrong('admin') })],
  ['changing roles to an empty name', 'roles', (realtime) => realtime.changeRights(all(), { roles: [''] })],
  [
    'changing roles to a set with an empty name',
    'roles',
    (realtime) => realtime.changeRights(all(), { roles: new Set(['']) }),
  ],
  [
    'changing permissions to numbers',
    'permissions',
    (realtime) => realtime.changeRights(all(), { permissions: wrong([1]) }),
  ],

  ['looking up an empty user id', 'userId', (realtime) => realtime.connectionsOf('')],
  ['looking up a connection without an id', 'connectionId', (realtime) => realtime.connection(wrong(undefined))],
  ['looking up the topics of an empty connection id', 'connectionId', (realtime) => realtime.topicsOf('')],
  ['looking up the subscribers of a bad topic', 'topic', (realtime) => realtime.subscribersOf('a b')],
];

const stage = Stage.shared();

describe('a wrong argument', () => {
  let ann: StageGuest;

  beforeEach(async () => {
    ann = await stage.connectAs('ann');
  });

  it.each(CASES)('is named by the rejection: %s (%s)', async (_what, argument, call) => {
    // A call that throws at once fails here, too.
    const error: unknown = await call(stage.realtime, ann.id).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(RealtimeArgumentError);
    expect(error).toMatchObject({ argument, code: 'VALIDATION_FAILED', message: expect.stringContaining(argument) });
  });

  it.each(CASES)('leaves everybody undisturbed: %s (%s)', async (_what, _argument, call) => {
    await call(stage.realtime, ann.id).catch(() => undefined);
    expect(await typesReceivedBy(ann)).toEqual([]);
  });
});

describe('of a send with several wrong arguments', () => {
  it('all bad addresses are named', async () => {
    const bad: Address[] = [user(''), role('')];
    const sent = stage.realtime.to(...bad).send(NEWS);
    await expect(sent).rejects.toThrow('userId must be a non-empty string; role must be');
  });

  it('all that is wrong with the message is named', async () => {
    await expect(stage.realtime.broadcast({ type: '', timestamp: '' })).rejects.toMatchObject({
      problems: [{ at: 'type' }, { at: 'timestamp' }],
    });
  });
});

describe('an error about a payload', () => {
  it('keeps what JSON.stringify said as its cause', async () => {
    await expect(stage.realtime.broadcast({ type: 'news', payload: cycle })).rejects.toMatchObject({
      cause: expect.any(TypeError),
    });
  });

  it('does not quote the payload', async () => {
    const payload = { password: 'hunter2', total: 1n };
    await expect(stage.realtime.broadcast({ type: 'news', payload })).rejects.not.toThrow('hunter2');
  });
});
