import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeClient } from '../../../test/helpers/fake-client.js';
import { collectLogs } from '../../../test/helpers/handler-harness.js';
import { authenticatedAs, sessionParts } from '../../../test/helpers/session-parts.js';
import { RealtimeError } from '../../errors/realtime.error.js';
import { Session } from './session.js';

const CLOSE = { code: 3000, reason: 'for the test' };

let parts: ReturnType<typeof sessionParts>;
let endpoint: FakeClient;
let session: Session;

beforeEach(() => {
  parts = sessionParts();
  endpoint = new FakeClient();
  session = new Session(endpoint, authenticatedAs('ann', ['staff']), parts.services);
});

/** Lets what is under way come to its end. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('a session', () => {
  it('has its connection from the first moment', () => {
    expect([session.connection.id, session.connection.userId]).toEqual(['n1.c1', 'ann']);
  });

  it('welcomes the client in the turn in which it begins', () => {
    void session.start();
    expect(endpoint.told).toMatchObject([{ kind: 'welcome', connectionId: 'n1.c1', userId: 'ann' }, 'release']);
    expect([parts.registry.ids().size, endpoint.log, parts.seen]).toEqual([1, ['serving'], ['connected']]);
  });

  it('confirms the first command before the welcome', () => {
    void session.start({ action: 'auth', token: 't', id: 7 });
    expect(endpoint.told).toMatchObject([
      { kind: 'authenticated', id: 7, userId: 'ann' },
      { kind: 'welcome', answers: 7 },
      'release',
    ]);
  });

  it('withholds messages until the bus was joined and the client welcomed', async () => {
    let joined!: () => void;
    parts.bus.joining = new Promise((resolve) => (joined = resolve));
    const started = session.start();
    expect([endpoint.told, endpoint.log]).toEqual([['hold'], ['pause: start']]);
    joined();
    await started;
    expect(endpoint.told.map((each) => each.kind ?? each)).toEqual(['hold', 'welcome', 'release']);
  });

  it('ends when the bus cannot be joined, and the application never hears of it', async () => {
    collectLogs();
    parts.bus.joining = Promise.reject(new Error('away'));
    await session.start();
    session.end(CLOSE);
    expect([endpoint.closedWith?.[0], parts.seen, parts.registry.ids().size]).toEqual(['SERVER_ERROR', [], 0]);
  });

  it('is closed when a hook refuses the connection', async () => {
    vi.spyOn(parts.dispatcher, 'connected').mockRejectedValue(new RealtimeError('FORBIDDEN', 'not today'));
    await session.start();
    expect(endpoint.closedWith).toEqual(['PERMISSION_DENIED', 'not today']);
  });

  it('carries out commands only when the hooks have run', async () => {
    let connected!: () => void;
    vi.spyOn(parts.dispatcher, 'connected').mockReturnValue(new Promise((resolve) => (connected = resolve)));
    const started = session.start();
    session.execute({ action: 'unsubscribe', topic: 'a', id: 1 });
    const before = endpoint.told.length;
    connected();
    await started;
    expect(endpoint.told.slice(before)).toEqual([{ kind: 'unsubscribed', id: 1, topic: 'a' }]);
  });

  it('has its rights changed, for what is addressed to it as well', async () => {
    await session.start();
    await session.changeRights({ roles: ['admin'] });
    expect(session.connection.roles).toEqual(new Set(['admin']));
    expect([parts.registry.idsOfRole('admin').size, parts.registry.idsOfRole('staff').size]).toEqual([1, 0]);
  });

  it('has its rights changed by a newer token, and the client is told', async () => {
    await session.start();
    session.execute({ action: 'auth', token: 'ann', id: 8 });
    await settle();
    expect([endpoint.told.at(-1), session.connection.roles.size]).toEqual([
      { kind: 'authenticated', id: 8, userId: 'ann' },
      0,
    ]);
  });

  it('has the metadata of its token, changed by that from when it connected', () => {
    const { identity } = authenticatedAs('ann');
    const authenticated = { identity: { ...identity, metadata: { email: 'a@example.com', plan: 'free' } } };
    const connectMetadata = { email: null, locale: 'en' };
    session = new Session(endpoint, { ...authenticated, connectMetadata }, parts.services);
    expect(session.connection.metadata).toEqual({ plan: 'free', locale: 'en' });
  });

  it.each([0, 1, 2, 3, 5, 8])('keeps a change of metadata %i microtasks into a renewal', async (microtasks) => {
    session = new Session(
      endpoint,
      { ...authenticatedAs('ann'), connectMetadata: { locale: 'en', plan: 'free' } },
      parts.services,
    );
    await session.start();
    session.execute({ action: 'auth', token: 'ann', id: 8 });
    for (let n = 0; n < microtasks; n++) await Promise.resolve();
    await session.updateMetadata({ patch: { plan: 'gold', seat: 7 }, reauthorize: false });
    await settle();
    expect(endpoint.told.at(-1)).toMatchObject({ kind: 'authenticated' });
    expect(session.connection.metadata).toEqual({ locale: 'en', plan: 'gold', seat: 7 });
  });

  it('leaves a topic that the server takes it off, and says why', async () => {
    await session.start();
    await session.subscribe('a');
    session.unsubscribe('a', 'the test says so');
    expect(endpoint.told.at(-1)).toEqual({ kind: 'unsubscribed', topic: 'a', reason: 'the test says so' });
    expect(parts.seen).toEqual(['connected', 'subscribed a', 'unsubscribed a']);
  });

  it('leaves everything when it ends, the hooks in their order', async () => {
    await session.start();
    await session.subscribe('a');
    await session.subscribe('b');
    session.end(CLOSE);
    expect([parts.registry.ids().size, parts.pubSub.topicCount]).toEqual([0, 0]);
    await session.hooksSettled;
    expect(parts.seen.slice(-3)).toEqual(['unsubscribed a', 'unsubscribed b', 'disconnected']);
  });

  it('tells a client where a topic goes on in which publications were missed', async () => {
    await session.start();
    session.missed('a', { epoch: 'e', offset: 3 });
    expect(endpoint.told.at(-1)).toEqual({
      kind: 'subscribed',
      topic: 'a',
      position: { epoch: 'e', offset: 3 },
      recovered: false,
    });
  });

  it('has to begin anew when publications were missed in the topic of its user’s own', async () => {
    await session.start();
    session.missed('#user:ann', { epoch: 'e', offset: 3 });
    expect(endpoint.closedWith?.[0]).toBe('INSUFFICIENT_STATE');
  });
});
