import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { collectLogs } from '../../../test/helpers/handler-harness.js';
import { memoryUpgrade, type MemoryUpgrade } from '../../../test/helpers/memory-upgrade.js';
import { sessionParts } from '../../../test/helpers/session-parts.js';
import { createConnection } from '../../core/connection/connection.js';
import { NodeDrain } from '../../delivery/node-drain.js';
import { RealtimeError } from '../../errors/realtime.error.js';
import { RealtimeSettings, type RealtimeOptions } from '../../options/realtime.options.js';
import { Authenticator, type Authenticated } from '../../ports/authenticator.js';
import { AuthCommands } from '../auth/auth-commands.js';
import { Handshake } from '../auth/handshake.js';
import { RealtimeGateway } from '../realtime.gateway.js';
import type { Codec } from '../../ports/codec.js';
import { ServedCodecs } from '../served-codecs.js';
import type { Admitted } from '../session/socket-endpoint.js';
import { UpgradeAdmission } from './upgrade-admission.js';
import { UpgradeHandler } from './upgrade-handler.js';
import { NodeMeter } from '../../delivery/node-meter.js';
import { RealtimeTracing } from '../../ports/realtime-tracing.js';

/** Accepts the name of a user as a token; the test may make it wait or fail. */
class TestAuthenticator extends Authenticator {
  verifying: Promise<void> | undefined = Promise.resolve();

  authenticate(userId: string): Authenticated | Promise<Authenticated> {
    const authenticated = {
      identity: { userId, roles: new Set<string>(), permissions: new Set<string>(), metadata: {} },
    };
    return this.verifying ? this.verifying.then(() => authenticated) : authenticated;
  }
}

let tracing: RealtimeTracing;
let handler: UpgradeHandler;
let authenticator: TestAuthenticator;
let drain: NodeDrain;
let registry: ReturnType<typeof sessionParts>['registry'];
/** The upgrades that reached the gateway. */
let admitted: Admitted[];

let meter: NodeMeter;
let gateway: RealtimeGateway;
let codec: Codec;

function start(options: RealtimeOptions = {}): void {
  const settings = new RealtimeSettings(options);
  const parts = sessionParts();
  registry = parts.registry;
  const codecs = new ServedCodecs(settings);
  [codec] = codecs.all as [Codec];
  authenticator = new TestAuthenticator();
  drain = new NodeDrain();
  const clock = { now: () => 0 };
  meter = new NodeMeter();
  const handshake = new Handshake(settings, authenticator, clock);
  gateway = new RealtimeGateway(settings, parts.services, new NodeDrain(), codecs, meter);
  admitted = [];
  vi.spyOn(gateway, 'upgrade').mockImplementation((...args) => void admitted.push(args[4]));
  handler = new UpgradeHandler(
    settings,
    handshake,
    new AuthCommands(handshake, registry, settings),
    gateway,
    drain,
    new UpgradeAdmission(settings, clock),
    meter,
    tracing,
  );
}

beforeEach(() => {
  collectLogs();
  tracing = new RealtimeTracing();
  start();
});

function handle({ request, socket }: MemoryUpgrade): void {
  handler.handle({ request, socket, head: Buffer.alloc(0), codec });
}

/** Sends an upgrade request, and lets its judgement end. @returns the status of the answer, if there is one */
async function ask(upgrade: MemoryUpgrade = memoryUpgrade('/ws?token=ann')): Promise<number | undefined> {
  handle(upgrade);
  await new Promise((resolve) => setImmediate(resolve));
  const [, status] = /^HTTP\/1\.1 (\d+)/.exec(upgrade.written()) ?? [];
  return status === undefined ? undefined : Number(status);
}

describe('an upgrade request', () => {
  it('with a good token reaches the gateway with its identity', async () => {
    expect(await ask()).toBeUndefined();
    expect(admitted).toMatchObject([{ identity: { userId: 'ann' } }]);
  });

  it('whose token needs no waiting reaches it in the same turn, and leaves no listener on the socket', () => {
    authenticator.verifying = undefined;
    const upgrade = memoryUpgrade('/ws?token=ann');
    const listeners = () => ['error', 'close'].map((event) => upgrade.socket.listenerCount(event));
    const before = listeners();
    handle(upgrade);
    expect(admitted).toMatchObject([{ identity: { userId: 'ann' } }]);
    expect(listeners()).toEqual(before);
  });

  it('whose token is waited for leaves no listener on the socket either', async () => {
    const upgrade = memoryUpgrade('/ws?token=ann');
    const listeners = () => ['error', 'close'].map((event) => upgrade.socket.listenerCount(event));
    const before = listeners();
    await ask(upgrade);
    expect([admitted.length, listeners()]).toEqual([1, before]);
  });

  it('that is refused at once may fail while it is answered', async () => {
    authenticator.authenticate = () => {
      throw new RealtimeError('UNAUTHENTICATED', 'No.');
    };
    const upgrade = memoryUpgrade('/ws?token=ann');
    expect(await ask(upgrade)).toBe(401);
    upgrade.socket.destroy(new Error('reset by the peer'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(upgrade.socket.destroyed).toBe(true);
  });

  it.each<[string, MemoryUpgrade, number]>([
    ['without a token', memoryUpgrade('/ws'), 401],
    ['of a foreign origin', memoryUpgrade('/ws?token=ann', { origin: 'https://evil.test' }), 403],
    ['of another method', memoryUpgrade('/ws?token=ann', {}, 'POST'), 405],
  ])('%s is refused and reaches neither verifier nor gateway', async (_what, upgrade, status) => {
    const verify = vi.spyOn(authenticator, 'authenticate');
    expect(await ask(upgrade)).toBe(status);
    expect([verify.mock.calls, admitted]).toEqual([[], []]);
  });

  it.each([
    ['UNAUTHENTICATED', 401],
    ['UNAVAILABLE', 503],
  ] as const)('whose token is refused with %s is answered with %i', async (code, status) => {
    authenticator.verifying = Promise.reject(new RealtimeError(code, 'No.'));
    expect([await ask(), admitted]).toEqual([status, []]);
  });

  it('of a user at the connection limit is answered with 429', async () => {
    start({ limits: { maxConnectionsPerUser: 1 } });
    registry.set(createConnection({ id: 'n.1', userId: 'ann', createdAt: new Date(0) }));
    const upgrade = memoryUpgrade('/ws?token=ann');
    expect([await ask(upgrade), admitted]).toEqual([429, []]);
    expect(upgrade.written()).toContain('Retry-After: 5');
  });

  it('whose socket closes during the verification is dropped, and frees its place', async () => {
    start({ limits: { maxUnauthenticatedPerIp: 1 } });
    let verified!: () => void;
    authenticator.verifying = new Promise((resolve) => (verified = resolve));
    const upgrade = memoryUpgrade('/ws?token=ann');
    await ask(upgrade);
    expect(await ask()).toBe(429);
    upgrade.socket.destroy();
    verified();
    await new Promise((resolve) => setImmediate(resolve));
    expect([upgrade.written(), admitted]).toEqual(['', []]);
    expect(await ask()).toBeUndefined();
  });

  it('whose socket fails does not end the process', async () => {
    authenticator.verifying = new Promise(() => undefined);
    const upgrade = memoryUpgrade('/ws?token=ann');
    await ask(upgrade);
    upgrade.socket.emit('error', new Error('for the test'));
    expect(upgrade.socket.destroyed).toBe(true);
  });
});

describe('an upgrade request in a turn that has been busy', () => {
  /** Lets all that waits have its turn. */
  let go: () => void;

  beforeEach(() => {
    const turns = gateway.turns;
    vi.spyOn(turns, 'isOver').mockReturnValueOnce(true);
    vi.spyOn(turns, 'next').mockImplementationOnce(() => new Promise((resolve) => (go = resolve)));
  });

  const settle = () => new Promise((resolve) => setImmediate(resolve));

  it('is verified and let in when its turn has come', async () => {
    const verify = vi.spyOn(authenticator, 'authenticate');
    await ask();
    const early = verify.mock.calls.length + admitted.length;
    go();
    await settle();
    expect([early, admitted]).toMatchObject([0, [{ identity: { userId: 'ann' } }]]);
  });

  it('is not verified if the client leaves before, and frees its place', async () => {
    const verify = vi.spyOn(authenticator, 'authenticate');
    const upgrade = memoryUpgrade('/ws?token=ann');
    await ask(upgrade);
    upgrade.socket.destroy();
    go();
    await settle();
    expect([verify.mock.calls, admitted, upgrade.written()]).toEqual([[], [], '']);
    expect(await ask()).toBeUndefined();
    expect(admitted).toHaveLength(1);
  });

  it('is refused if the server has begun to drain before', async () => {
    const upgrade = memoryUpgrade('/ws?token=ann');
    await ask(upgrade);
    await drain.start();
    go();
    await settle();
    expect([upgrade.written().slice(0, 13), admitted]).toEqual(['HTTP/1.1 503 ', []]);
  });

  it('takes no place of its address while it waits', async () => {
    start({ limits: { maxUnauthenticatedPerIp: 1 } });
    vi.spyOn(gateway.turns, 'isOver').mockReturnValueOnce(true);
    vi.spyOn(gateway.turns, 'next').mockImplementationOnce(() => new Promise((resolve) => (go = resolve)));
    await ask();
    expect(await ask()).toBeUndefined();
    go();
    await settle();
    expect(admitted).toHaveLength(2);
  });

  it('does not end the process if the application finds no token for it meanwhile', async () => {
    start({ token: { from: () => Promise.reject(new Error('for the test')) } });
    vi.spyOn(gateway.turns, 'isOver').mockReturnValueOnce(true);
    vi.spyOn(gateway.turns, 'next').mockImplementationOnce(() => new Promise((resolve) => (go = resolve)));
    const upgrade = memoryUpgrade('/ws');
    await ask(upgrade);
    await settle();
    go();
    await settle();
    expect([upgrade.written().slice(0, 9), admitted]).toEqual(['HTTP/1.1 ', []]);
  });

  it('does not wait when a thousand wait already', async () => {
    vi.spyOn(gateway.turns, 'isOver').mockReturnValue(true);
    const next = vi.spyOn(gateway.turns, 'next').mockImplementation(() => new Promise(() => undefined));
    for (let n = 0; n < 1_001; n++) {
      handle(memoryUpgrade(`/ws?token=u${n}`));
    }
    await settle();
    expect([next.mock.calls.length, admitted.length]).toEqual([1_000, 1]);
  });
});

describe('an upgrade request whose token was verified in a turn that has been busy', () => {
  it('is let in when its turn has come', async () => {
    let verified!: () => void;
    let go!: () => void;
    authenticator.verifying = new Promise((resolve) => (verified = resolve));
    await ask();
    vi.spyOn(gateway.turns, 'turns', 'get').mockReturnValue(1);
    vi.spyOn(gateway.turns, 'isOver').mockReturnValueOnce(true);
    vi.spyOn(gateway.turns, 'next').mockImplementationOnce(() => new Promise((resolve) => (go = resolve)));
    verified();
    await new Promise((resolve) => setImmediate(resolve));
    const early = admitted.length;
    go();
    await new Promise((resolve) => setImmediate(resolve));
    expect([early, admitted.length]).toEqual([0, 1]);
  });
});

describe('an upgrade without a token, where the first command may bring it,', () => {
  const open = async () => {
    start({ token: { firstCommand: true }, limits: { maxUnauthenticatedPerIp: 1 } });
    await ask(memoryUpgrade('/ws'));
    const [pending] = admitted;
    if (!pending || 'identity' in pending) throw new Error('it was not admitted as pending');
    return pending;
  };
  const isFree = async () => (await ask(memoryUpgrade('/ws'))) === undefined;

  it('holds its place until the outcome of that command', async () => {
    const pending = await open();
    expect(await isFree()).toBe(false);
    const error = { code: 'UNAUTHENTICATED', message: 'No.' } as const;
    const outcome = { ok: false, error, closeCode: 'INVALID_TOKEN' } as const;
    expect(pending.judged(outcome)).toBe(outcome);
    expect(await isFree()).toBe(true);
  });

  it('passes a good outcome on', async () => {
    const outcome = { ok: true, authenticated: await authenticator.authenticate('ann') } as const;
    expect((await open()).judged(outcome)).toBe(outcome);
  });
});

describe('a drain', () => {
  it('refuses the requests being judged and all later ones', async () => {
    authenticator.verifying = new Promise(() => undefined);
    const upgrade = memoryUpgrade('/ws?token=ann');
    await ask(upgrade);
    await drain.start();
    expect(upgrade.written()).toMatch(/^HTTP\/1\.1 503 /);
    expect(await ask()).toBe(503);
  });
});

describe('a socket that fails while its request is judged', () => {
  const uncaught: unknown[] = [];
  const note = (error: unknown) => void uncaught.push(error);
  const refuseAfter = (upgrade: MemoryUpgrade) => {
    upgrade.socket.destroy(new Error('banned'));
    throw new RealtimeError('UNAUTHENTICATED', 'No.');
  };

  beforeEach(() => {
    uncaught.length = 0;
    process.prependListener('uncaughtException', note);
  });
  afterEach(() => void process.off('uncaughtException', note));

  /** As Node.js emits the event, from a callback of its own: what is due next tick comes before what was promised. */
  async function emit(upgrade: MemoryUpgrade): Promise<void> {
    setImmediate(() => handle(upgrade));
    for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve));
  }

  it.each<[string, (upgrade: MemoryUpgrade) => void]>([
    [
      'because of a verifier',
      (upgrade) => {
        authenticator.authenticate = () => refuseAfter(upgrade);
      },
    ],
    [
      'because of a verifier that waits',
      (upgrade) => {
        authenticator.authenticate = async () => {
          await new Promise((resolve) => setImmediate(resolve));
          return refuseAfter(upgrade);
        };
      },
    ],
    [
      'because of token.from',
      (upgrade) => {
        start({ token: { from: async () => void upgrade.socket.destroy(new Error('banned')) } });
      },
    ],
    [
      'while it is traced',
      (upgrade) => {
        const span = { traceparent: undefined, run: <T>(work: () => T) => work(), end: () => undefined };
        tracing.tracer = { tellsClients: false, start: () => span, failed: () => undefined, bind: (work) => work };
        authenticator.authenticate = () => refuseAfter(upgrade);
      },
    ],
  ])('%s, does not end the process', async (_what, prepare) => {
    const upgrade = memoryUpgrade('/ws?token=ann');
    prepare(upgrade);
    await emit(upgrade);
    expect([upgrade.socket.destroyed, admitted, uncaught]).toEqual([true, [], []]);
  });
});

describe('an application that misbehaves', () => {
  it.each([
    ['at once', {}],
    ['at once', []],
    ['later', Promise.resolve({})],
    ['later', Promise.resolve([])],
    ['later', Promise.resolve(Buffer.from('x'))],
  ])('and gives an object as a token %s, is told that it is none', async (_when, junk) => {
    start({ token: { from: () => junk as unknown as string } });
    authenticator.authenticate = () => {
      throw new RealtimeError('UNAUTHENTICATED', 'No.');
    };
    expect([await ask(memoryUpgrade('/ws')), admitted]).toEqual([401, []]);
  });

  it.each([
    ['at once', undefined],
    ['later', Promise.resolve()],
  ])('in its registry, keeps no place taken for a client that was verified %s', async (_when, verifying) => {
    start({ limits: { maxUnauthenticatedPerIp: 1 } });
    authenticator.verifying = verifying;
    vi.spyOn(registry, 'idsOfUser').mockImplementationOnce(() => {
      throw new TypeError('secret');
    });
    const failed = memoryUpgrade('/ws?token=ann');
    await ask(failed);
    expect([failed.socket.destroyed, await ask(), admitted.length]).toEqual([true, undefined, 1]);
  });

  it('and begins the drain in its verifier, has the client refused', async () => {
    const accept = authenticator.authenticate.bind(authenticator);
    authenticator.verifying = undefined;
    authenticator.authenticate = (token) => {
      void drain.start();
      return accept(token);
    };
    expect([await ask(), admitted]).toEqual([503, []]);
  });
});
