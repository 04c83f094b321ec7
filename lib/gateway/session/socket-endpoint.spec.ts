import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { FakeCodec } from '../../../test/helpers/fake-client.js';
import { authenticatedAs, sessionParts } from '../../../test/helpers/session-parts.js';
import { CLOSE_CODES, type CloseCodeName } from '../../core/protocol/close-code.js';
import { REFUSAL_RATE } from '../../core/protocol/refusal-rate.js';
import { FlushQueue } from '../socket/flush-queue.js';
import { ByteBudget } from '../socket/byte-budget.js';
import { ServedWebSocket } from '../socket/served-web-socket.js';
import { messageFrame } from '../socket/websocket-frame.js';
import type { WriteShare } from '../socket/ws-connection-socket.js';
import type { FirstOutcome } from '../auth/auth-commands.js';
import type { HeartbeatTick } from './heartbeat.js';
import type { SessionServices } from './session-services.js';
import { SocketEndpoint } from './socket-endpoint.js';
import { NodeMeter } from '../../delivery/node-meter.js';

const TICK: HeartbeatTick = {
  now: 0,
  pings: new Map(),
  intervalTicks: 1,
  timeoutTicks: 3,
  stallTicks: 3,
  authTicks: 2,
};

/** The endpoint's calls to its WebSocket, in order. */
let done: string[];
let written: string[];
let isPaused: boolean;
let endpoint: SocketEndpoint;
let freed: number;
let services: SessionServices;
let ws: EventEmitter;
let share: WriteShare;

beforeEach(() => {
  done = [];
  written = [];
  isPaused = false;
  freed = 0;
  const raw = {
    writable: true,
    writableLength: 0,
    bytesWritten: 0,
    write: (bytes: Buffer) => void written.push(bytes.toString('latin1')),
  };
  ws = Object.assign(new EventEmitter(), {
    _socket: raw,
    extensions: '',
    pause: () => void (isPaused = true),
    resume: () => void (isPaused = false),
    ping: (data?: string) => void done.push(data === undefined ? 'ping' : `ping ${data}`),
    close: (code: number, reason: string) => void done.push(`close ${code} ${reason}`),
    closeDeaf: (code: number, reason: string) => void done.push(`close ${code} ${reason}`),
    terminate: () => void done.push('terminate'),
  });
  Object.defineProperty(ws, 'isPaused', { get: () => isPaused });
  share = {
    batch: new FlushQueue(),
    budget: new ByteBudget(Infinity),
    maxQueueBytes: 1_000_000,
    compressedFrame: messageFrame,
    meter: new NodeMeter().protocol('fake'),
  };
  ({ services } = sessionParts());
  endpoint = new SocketEndpoint(ws as unknown as ServedWebSocket, new FakeCodec(), share, services);
});

/** How a close of that name is seen at the WebSocket. */
const closing = (name: CloseCodeName) => `close ${CLOSE_CODES[name].code} ${CLOSE_CODES[name].reason}`;

/** Lets what is under way come to its end, and looks at what was written. */
async function settle(): Promise<string> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  return written.join('');
}

/** Has the next frame wait for its turn, even if it is urgent. */
function crowd(): void {
  vi.spyOn(services.turns, 'isOver').mockReturnValueOnce(true);
  vi.spyOn(services.turns, 'overtakes').mockReturnValueOnce(false);
}

const receive = (command: object) => endpoint.receive(Buffer.from(JSON.stringify(command)), false);
function openAnonymously(): void {
  const judged = (outcome: FirstOutcome) => {
    freed += 1;
    return outcome;
  };
  endpoint.open({ token: undefined, info: { purpose: 'connect' }, judged });
}

describe('a socket whose client has authenticated with the request', () => {
  it('is welcomed at once, and answers commands', async () => {
    endpoint.open(authenticatedAs('ann'));
    receive({ action: 'ping', id: 1 });
    const text = await settle();
    expect([text.indexOf('welcome') < text.indexOf('pong'), text.includes('pong')]).toEqual([true, true]);
  });

  it('is asked for a sign of life, and ended when none comes', () => {
    endpoint.open(authenticatedAs('ann'));
    for (let n = 0; n < 10; n++) endpoint.tick(TICK);
    expect(done).toContain(closing('NO_PONG'));
  });

  it('is not ended by the heartbeat while it is not read because of its rate', () => {
    endpoint.open(authenticatedAs('ann'));
    endpoint.pauseReading('rate');
    for (let n = 0; n < 100; n++) endpoint.tick(TICK);
    expect(done.filter((what) => what !== 'ping')).toEqual([]);
  });

  it('is ended for a frame that no command may be', async () => {
    endpoint.open(authenticatedAs('ann'));
    endpoint.receive(Buffer.from('x'), true);
    expect(await settle()).toContain('Only text frames are accepted.');
  });

  it('is asked to go elsewhere when the node is drained, and reads nothing more', async () => {
    endpoint.open(authenticatedAs('ann'));
    await settle();
    endpoint.retire();
    expect(isPaused).toBe(true);
    await settle();
    expect(done).toEqual([closing('SHUTDOWN')]);
  });

  it('is read again once no reason against it is left', () => {
    endpoint.open(authenticatedAs('ann'));
    endpoint.pauseReading('mailbox');
    endpoint.pauseReading('rate');
    endpoint.resumeReading('mailbox');
    const early = isPaused;
    endpoint.resumeReading('rate');
    expect([early, isPaused]).toEqual([true, false]);
  });

  it('decodes nothing more of what was read while it is not read, and answers it in order afterwards', async () => {
    endpoint.open(authenticatedAs('ann'));
    endpoint.pauseReading('start');
    for (const id of [1, 2]) receive({ action: 'ping', id });
    const early = [await settle(), endpoint.waitingBytes > 0];
    endpoint.resumeReading('start');
    receive({ action: 'ping', id: 3 });
    const text = await settle();
    expect([early[0]!.toString().includes('pong'), early[1]]).toEqual([false, true]);
    expect([[...text.matchAll(/pong","id":(\d)/g)].map(([, id]) => id), endpoint.waitingBytes]).toEqual([
      ['1', '2', '3'],
      0,
    ]);
  });

  it('lets others be served when many frames come in one turn, and then answers its own in order', async () => {
    await endpoint.serve(authenticatedAs('ann'));
    await settle();
    const waits = vi.spyOn(services.turns, 'add');
    crowd();
    written = [];
    for (const id of [1, 2, 3]) receive({ action: 'ping', id });
    const [early, wasPaused] = [written.length, isPaused];
    const later = await settle();
    expect([early, wasPaused, isPaused, waits.mock.calls]).toEqual([0, true, false, [[endpoint, true]]]);
    expect(
      [1, 2, 3].map((id) => later.indexOf(`"id":${id}`)).every((at, n, all) => at >= 0 && at > (all[n - 1] ?? -1)),
    ).toBe(true);
  });

  it.each([
    ['does not count a small frame', 10, false],
    ['counts a large frame', 2_000, true],
  ])('%s that waits for its turn', async (_what, length, isCounted) => {
    const { mailboxes } = services;
    endpoint.open(authenticatedAs('ann'));
    await settle();
    crowd();
    receive({ action: 'ping', id: 'x'.repeat(length) });
    expect(mailboxes.total > 0).toBe(isCounted);
    await settle();
    expect(mailboxes.total).toBe(0);
  });

  it('that waits for its turn is answered before it is asked to go elsewhere', async () => {
    await endpoint.serve(authenticatedAs('ann'));
    await settle();
    crowd();
    receive({ action: 'ping', id: 1 });
    endpoint.retire();
    expect(await settle()).toContain('"id":1');
    expect(done).toEqual([closing('SHUTDOWN')]);
  });

  it('that waits for its turn is not read again when it has been closed', async () => {
    await endpoint.serve(authenticatedAs('ann'));
    await settle();
    crowd();
    receive({ action: 'ping', id: 1 });
    endpoint.disconnect('FORCED');
    expect(await settle()).not.toContain('"id":1');
  });

  it('answers at once what concerns it alone, though a crowd keeps the node busy', async () => {
    await endpoint.serve(authenticatedAs('ann'));
    await settle();
    vi.spyOn(services.turns, 'isOver').mockReturnValueOnce(true);
    written = [];
    receive({ action: 'ping', id: 1 });
    await new Promise((resolve) => queueMicrotask(() => process.nextTick(resolve)));
    expect(written.join('')).toContain('"id":1');
  });

  it('is ended if an answer that is given at once cannot be written', async () => {
    await endpoint.serve(authenticatedAs('ann'));
    await settle();
    vi.spyOn(services.turns, 'isOver').mockReturnValueOnce(true);
    vi.spyOn(endpoint.socket, 'flush').mockImplementationOnce(() => {
      throw new Error('unwritable');
    });
    receive({ action: 'ping', id: 1 });
    await settle();
    expect(endpoint.isClosed).toBe(true);
  });

  it('takes no time from others for urgent commands when the turn has spent it', async () => {
    await endpoint.serve(authenticatedAs('ann'));
    await settle();
    const { turns } = services;
    const decodes = vi.spyOn(FakeCodec.prototype, 'decode');
    onTestFinished(() => decodes.mockRestore());
    turns.countUrgent(turns.now() - 1_000);
    vi.spyOn(turns, 'isOver').mockReturnValueOnce(true);
    receive({ action: 'ping', id: 1 });
    const early = decodes.mock.calls.length;
    expect([early, (await settle()).includes('"id":1')]).toEqual([0, true]);
  });

  it('has what may be told to many wait its turn, decodes it once, and answers in order', async () => {
    await endpoint.serve(authenticatedAs('ann'));
    await settle();
    const waits = vi.spyOn(services.turns, 'add');
    const decodes = vi.spyOn(FakeCodec.prototype, 'decode');
    onTestFinished(() => decodes.mockRestore());
    vi.spyOn(services.turns, 'isOver').mockReturnValueOnce(true);
    written = [];
    receive({ action: 'unsubscribe', id: 1, topic: 'chat:1' });
    receive({ action: 'ping', id: 2 });
    const early = written.length;
    const text = await settle();
    expect([early, waits.mock.calls, decodes.mock.calls.length]).toEqual([0, [[endpoint, false]], 2]);
    expect([text.includes('"id":1'), text.indexOf('"id":1') < text.indexOf('"id":2')]).toEqual([true, true]);
  });

  it('stays unread when a frame that waited stops reading again', async () => {
    endpoint.open(authenticatedAs('ann'));
    endpoint.pauseReading('start');
    receive({ action: 'ping', id: 1 });
    endpoint.resumeReading('start');
    endpoint.pauseReading('memory');
    expect([(await settle()).includes('pong'), isPaused]).toEqual([false, true]);
    endpoint.resumeReading('memory');
    expect([(await settle()).includes('pong'), isPaused]).toEqual([true, false]);
  });

  describe('while the commands of others fill the memory of the node', () => {
    /** The ids of the messages that reached a handler. */
    let handled: unknown[];
    /** Ends each of them. */
    let ends: (() => void)[];

    /** Sends four messages, of which the first one is handled and the others wait undecoded. */
    async function sendFour(): Promise<void> {
      [handled, ends] = [[], []];
      await endpoint.serve(authenticatedAs('ann'));
      vi.spyOn(services.dispatcher, 'message').mockImplementation((_connection, { id }) => {
        handled.push(id);
        const released = new Promise<void>((end) => ends.push(end));
        return { released, endsWithTopic: false, cancel: () => undefined };
      });
      const { mailboxes, settings } = services;
      const others = { hasWaitingCommands: true, giveUp: vi.fn(), pauseReading: vi.fn(), resumeReading: vi.fn() };
      mailboxes.update({ ...others, waitingBytes: settings.limits.totalMailboxBytes * 0.9 });
      for (const id of [1, 2, 3, 4]) receive({ action: 'message', topic: 'desk', type: 'wait', id });
    }

    async function endAll(): Promise<void> {
      for (let n = 0; n < 4; n++) {
        await settle();
        ends[n]?.();
      }
      await settle();
    }

    it('decodes what was read once its own commands have ended', async () => {
      await sendFour();
      const early = [handled.length, isPaused];
      await endAll();
      expect([early, handled, isPaused]).toEqual([[1, true], [1, 2, 3, 4], false]);
    });

    it('answers what was read before it is asked to go elsewhere', async () => {
      await sendFour();
      endpoint.retire();
      await endAll();
      expect([handled, done]).toEqual([[1, 2, 3, 4], [closing('SHUTDOWN')]]);
    });

    it('that is retired is closed once it has gone, with frames that wait', async () => {
      await sendFour();
      endpoint.retire();
      await settle();
      endpoint.disconnect('SHUTDOWN');
      await endAll();
      expect([handled, done]).toEqual([[1], [closing('SHUTDOWN')]]);
    });
  });

  describe('whose rate limit and limit for refusals are used up', () => {
    const answered = () => [...written.join('').matchAll(/pong","id":(\d+)/g)].map(([, id]) => Number(id));
    const refused = () => [...written.join('').matchAll(/RATE_LIMITED/g)].length;

    beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
    afterEach(() => void vi.useRealTimers());

    /** Lets time pass, and what it brings about come to its end. */
    async function pass(ms: number): Promise<void> {
      vi.advanceTimersByTime(ms);
      await settle();
    }

    /** Sends commands of which the first is carried out, the second is refused, and the others wait. */
    async function overtax(commands: number): Promise<void> {
      await endpoint.serve(authenticatedAs('ann'));
      const { allowance } = endpoint;
      for (let left = services.settings.limits.commandBurst; left > 1; left--) allowance.take(0);
      for (let left = REFUSAL_RATE.burst; left > 1; left--) allowance.refused(0);
      for (let id = 1; id <= commands; id++) receive({ action: 'ping', id });
      await settle();
    }

    it('has its frames wait undecoded, and counted', async () => {
      await overtax(5);
      expect([answered(), refused(), isPaused]).toEqual([[1], 1, true]);
      expect([endpoint.waitingBytes > 0, services.mailboxes.total]).toEqual([true, endpoint.waitingBytes]);
    });

    it('has them answered in order when the pause is over, as far as tokens allow', async () => {
      await overtax(5);
      vi.spyOn(endpoint.allowance, 'take').mockReturnValue(0);
      vi.spyOn(endpoint.allowance, 'wait').mockReturnValue(0);
      await pass(51);
      expect(answered()).toEqual([1, 3, 4, 5]);
      expect([isPaused, endpoint.waitingBytes, services.mailboxes.total]).toEqual([false, 0, 0]);
    });

    it('is closed when compressed frames have more wait than can be read at once', async () => {
      await overtax(5);
      const frame = Buffer.from(JSON.stringify({ action: 'ping', id: 'x'.repeat(60_000) }));
      for (let n = 0; n < 30; n++) endpoint.receive(frame, false);
      const early = [endpoint.isClosed, endpoint.waitingBytes];
      for (let n = 0; n < 100; n++) endpoint.receive(frame, false);
      expect([early[0], done, endpoint.waitingBytes]).toEqual([
        false,
        [`close 3013 too much of it waits to be handled`],
        0,
      ]);
      expect(early[1]).toBeLessThan(4 * 1_024 * 1_024);
    });

    it('is not ended by the heartbeat, since its answers are not read', async () => {
      await overtax(5);
      for (let n = 0; n < 100; n++) endpoint.tick(TICK);
      expect(done.filter((what) => what !== 'ping')).toEqual([]);
    });

    it('is asked to go elsewhere without an answer to frames that wait', async () => {
      await overtax(5);
      endpoint.retire();
      await settle();
      expect([answered(), done]).toEqual([[1], [closing('SHUTDOWN')]]);
    });

    it('is blamed for what it sent after its pong, not for frames that waited when the pong came', async () => {
      await overtax(5);
      const blame = vi.spyOn(endpoint.replies, 'blame');
      await pass(51);
      expect([done, refused()]).toEqual([['ping 1'], 2]);
      vi.spyOn(endpoint.allowance, 'mayRefuse').mockReturnValue(true);
      endpoint.ponged(Buffer.from('1'));
      await pass(101);
      expect(refused()).toBe(4);
      const early = blame.mock.calls.length;
      receive({ action: 'ping', id: 6 });
      expect([early, blame.mock.calls]).toEqual([0, [['RATE_LIMITED']]]);
    });

    it('has its frames wait from the welcome on when it comes again', async () => {
      await overtax(2);
      endpoint.disconnect('FORCED');
      const { maxConnectionsPerUser } = services.settings.limits;
      vi.spyOn(services.authentication, 'connectionsOf').mockReturnValue(maxConnectionsPerUser);
      written = [];
      endpoint = new SocketEndpoint(ws as unknown as ServedWebSocket, new FakeCodec(), share, services);
      await endpoint.serve(authenticatedAs('ann'));
      receive({ action: 'ping', id: 1 });
      await settle();
      expect([written.join('').includes('welcome'), refused(), endpoint.waitingBytes > 0]).toEqual([true, 0, true]);
    });
  });

  it('is gone when its hooks have run', async () => {
    endpoint.open(authenticatedAs('ann'));
    const gone = vi.fn<() => void>();
    void endpoint.gone.then(gone);
    await settle();
    expect(gone).not.toHaveBeenCalled();
    await endpoint.closed(1000, '');
    await settle();
    expect([gone.mock.calls.length, endpoint.isClosed]).toEqual([1, true]);
  });
});

describe('a socket whose client has yet to authenticate', () => {
  it('reads nothing while the token is verified, and keeps what came before', async () => {
    openAnonymously();
    receive({ action: 'auth', token: 'ann', id: 1 });
    receive({ action: 'ping', id: 2 });
    expect([isPaused, endpoint.isAuthenticated, written]).toEqual([true, false, []]);
    const text = await settle();
    expect(['authenticated', 'welcome', 'pong'].map((kind) => text.includes(kind))).toEqual([true, true, true]);
    expect([isPaused, endpoint.isAuthenticated, freed]).toEqual([false, true, 1]);
  });

  it('is closed when its first command is another one', () => {
    openAnonymously();
    receive({ action: 'ping', id: 2 });
    expect(done).toEqual(['close 3501 authenticate first']);
  });

  it('is closed when its time is over', () => {
    openAnonymously();
    for (let n = 0; n < 3; n++) endpoint.tick({ ...TICK, timeoutTicks: 100 });
    expect(done).toContain(closing('STALE'));
  });

  it('keeps its place when it goes before the token was verified', async () => {
    openAnonymously();
    receive({ action: 'auth', token: 'ann' });
    await endpoint.closed(1006, '');
    await settle();
    expect([freed, endpoint.isAuthenticated]).toEqual([0, false]);
  });
});
