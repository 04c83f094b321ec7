import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TICK_MS, type RedisClient } from '../connection/redis-connection.js';
import { RedisChannels } from '../connection/redis-channels.js';
import type { RedisNetwork } from '../connection/redis-network.js';
import type { RedisServer } from '../connection/redis-server.js';
import { RedisSubscriptions } from './redis-subscriptions.js';

const LINGER_TICKS = 4;
const channels = new RedisChannels('realtime', 0, 0);
const CHANNEL = channels.of('topic:feed');

/** One server, of which the test decides when it answers and whether it is up. */
class Setup {
  /** The commands sent to the server, in order. */
  readonly asked: string[] = [];
  readonly subscriptions: RedisSubscriptions;
  isUp = true;
  #answers: (() => void)[] = [];

  constructor() {
    const network = { all: () => [this.server], serverOf: () => this.server } as Partial<RedisNetwork> as RedisNetwork;
    const settings = { lingerMs: LINGER_TICKS * TICK_MS, commandTimeoutMs: 4_000 };
    this.subscriptions = new RedisSubscriptions(network, channels, settings, () => {});
  }

  readonly server = {
    partitions: new Set([0]),
    isSharded: false,
    isOverdue: false,
    isDeaf: false,
    isAttached: true,
    subscriber: Object.defineProperty(
      { run: (use: (client: RedisClient) => Promise<unknown>) => use(this.#client as unknown as RedisClient) },
      'isUp',
      { get: () => this.isUp },
    ),
  } as unknown as RedisServer;

  readonly #client = {
    subscribe: (names: string[]) => this.#ask('subscribe', names),
    unsubscribe: (names: string[]) => this.#ask('unsubscribe', names),
  };

  /** Everything that was asked is answered. */
  async answer(): Promise<void> {
    for (const answer of this.#answers.splice(0)) answer();
    await new Promise((resolve) => setImmediate(resolve));
  }

  pass(ticks: number): void {
    while (ticks-- > 0) this.subscriptions.tick();
  }

  #ask(what: string, names: readonly string[]): Promise<void> {
    this.asked.push(`${what} ${names.join(' ')}`);
    return new Promise((resolve) => this.#answers.push(resolve));
  }
}

/** A setup whose only channel is active. */
async function joined(): Promise<Setup> {
  const setup = new Setup();
  const join = setup.subscriptions.join(CHANNEL);
  await setup.answer();
  await setup.answer();
  await join;
  return setup;
}

describe('a channel that is left', () => {
  it('is unsubscribed when it has lingered', async () => {
    const setup = await joined();
    setup.subscriptions.leave(CHANNEL.name);
    setup.pass(LINGER_TICKS);
    expect(setup.asked).toEqual([`subscribe ${CHANNEL.name}`, `unsubscribe ${CHANNEL.name}`]);
  });

  it('is not when it is joined again meanwhile', async () => {
    const setup = await joined();
    setup.subscriptions.leave(CHANNEL.name);
    setup.pass(LINGER_TICKS - 1);
    expect(setup.subscriptions.join(CHANNEL)).toBeUndefined();
    setup.pass(LINGER_TICKS * 2);
    expect(setup.asked).toEqual([`subscribe ${CHANNEL.name}`]);
  });

  it('is unsubscribed only once Redis has confirmed that it was subscribed', async () => {
    const setup = new Setup();
    const join = setup.subscriptions.join(CHANNEL);
    await setup.answer();
    setup.subscriptions.leave(CHANNEL.name);
    setup.pass(LINGER_TICKS * 3);
    expect(setup.asked).toEqual([`subscribe ${CHANNEL.name}`]);
    await setup.answer();
    await join;
    setup.pass(LINGER_TICKS);
    expect(setup.asked).toEqual([`subscribe ${CHANNEL.name}`, `unsubscribe ${CHANNEL.name}`]);
  });

  it('is not subscribed afterwards when it has lingered before it was asked for', async () => {
    const setup = new Setup();
    const join = setup.subscriptions.join(CHANNEL);
    setup.subscriptions.leave(CHANNEL.name);
    // A process that was halted runs several ticks in one turn.
    setup.pass(LINGER_TICKS);
    await expect(join).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await setup.answer();
    expect(setup.asked).not.toContain(`subscribe ${CHANNEL.name}`);
  });

  it('is unsubscribed though a new connection was just being subscribed to it', async () => {
    const setup = await joined();
    setup.isUp = false;
    const restored = setup.subscriptions.restore(setup.server);
    setup.subscriptions.leave(CHANNEL.name);
    setup.pass(LINGER_TICKS * 3);
    await setup.answer();
    await restored;
    setup.isUp = true;
    setup.subscriptions.changed(setup.server);
    setup.pass(LINGER_TICKS * 2);
    expect(setup.asked.at(-1)).toBe(`unsubscribe ${CHANNEL.name}`);
  });

  it('keeps nobody waiting for its join when the next connection is made', async () => {
    const setup = new Setup();
    setup.isUp = false;
    const join = setup.subscriptions.join(CHANNEL);
    setup.subscriptions.leave(CHANNEL.name);
    await setup.subscriptions.restore(setup.server);
    await expect(join).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('is forgotten when the next connection is made', async () => {
    const setup = await joined();
    setup.isUp = false;
    setup.subscriptions.leave(CHANNEL.name);
    setup.pass(LINGER_TICKS * 3);
    await setup.subscriptions.restore(setup.server);
    setup.isUp = true;
    setup.subscriptions.changed(setup.server);
    setup.pass(LINGER_TICKS * 2);
    expect(setup.asked).toEqual([`subscribe ${CHANNEL.name}`]);
  });
});

describe('a new connection', () => {
  it('is subscribed to the channels that were joined first last: others know by them that it has all', async () => {
    const setup = await joined();
    const others = Array.from({ length: 1_000 }, (_, n) => channels.of(`user:${n}`));
    for (const channel of others) setup.subscriptions.join(channel)?.catch(() => undefined);
    setup.asked.splice(0);
    void setup.subscriptions.restore(setup.server);
    expect(setup.asked.length).toBeGreaterThan(1);
    const withFirst = setup.asked.map((command) => command.split(' ').includes(CHANNEL.name));
    expect(withFirst).toEqual(setup.asked.map((_, index) => index === setup.asked.length - 1));
  });

  it('is subscribed to another channel each time, in one command with those that were joined first: others know by it that the last one was lost', async () => {
    const setup = await joined();
    const marksOf = async (isFirst: boolean): Promise<unknown> => {
      setup.asked.splice(0);
      void setup.subscriptions.restore(setup.server, isFirst);
      await setup.answer();
      return setup.asked;
    };
    expect(await marksOf(true)).toEqual([`subscribe ${CHANNEL.name}`]);
    expect(await marksOf(false)).toEqual([`subscribe ${CHANNEL.name} ${channels.restored(1, 0)}`]);
    expect(await marksOf(false)).toEqual([`subscribe ${CHANNEL.name} ${channels.restored(2, 0)}`]);
  });
});

/**
 * A server, and the client of Redis, which keeps a set of listeners for each channel: it asks the server only for channels without one, or
 * whose last one is being removed.
 */
class Link {
  readonly subscriptions: RedisSubscriptions;
  /** The channels that the server sends to the connection there is. */
  readonly heard = new Set<string>();
  isUp = true;
  #isUnsubscribing = new Map<string, boolean>();
  #unanswered: { resolve(): void; reject(error: Error): void }[] = [];
  #restored: Promise<void> | undefined;

  constructor() {
    const network = {
      all: () => [this.#server],
      serverOf: () => this.#server,
    } as Partial<RedisNetwork> as RedisNetwork;
    const settings = { lingerMs: LINGER_TICKS * TICK_MS, commandTimeoutMs: 4_000 };
    this.subscriptions = new RedisSubscriptions(network, channels, settings, () => {});
  }

  readonly #client = {
    subscribe: (names: readonly string[]): Promise<void> => {
      const fresh = names.filter((name) => this.#isUnsubscribing.get(name) !== false);
      if (fresh.length === 0) return Promise.resolve();
      for (const name of fresh) this.heard.add(name);
      return this.#ask(() => {
        for (const name of fresh) if (!this.#isUnsubscribing.has(name)) this.#isUnsubscribing.set(name, false);
      });
    },
    unsubscribe: (names: readonly string[]): Promise<void> => {
      for (const name of names) {
        this.heard.delete(name);
        if (this.#isUnsubscribing.has(name)) this.#isUnsubscribing.set(name, true);
      }
      return this.#ask(() => {
        for (const name of names) this.#isUnsubscribing.delete(name);
      });
    },
  };

  get #server(): RedisServer {
    const { isUp } = this;
    const run = (use: (client: RedisClient) => Promise<unknown>) => use(this.#client as unknown as RedisClient);
    const subscriber = { run, isUp };
    const server = { partitions: new Set([0]), isSharded: false, isOverdue: false, isDeaf: !isUp, isAttached: isUp };
    return { ...server, subscriber } as unknown as RedisServer;
  }

  join(name: string): void {
    this.subscriptions.join({ name, partition: 0 })?.catch(() => undefined);
  }

  /** The server answers the oldest command. */
  answer(): void {
    this.#unanswered.shift()?.resolve();
  }

  /** The connection is lost; the next one is being set up at once. */
  lose(): void {
    this.isUp = false;
    this.heard.clear();
    this.#isUnsubscribing = new Map();
    for (const { reject } of this.#unanswered.splice(0)) reject(new Error('lost'));
    this.subscriptions.changed(this.#server);
    void this.#setUp();
  }

  async #setUp(): Promise<void> {
    const restored = (this.#restored = this.subscriptions.restore(this.#server));
    const isSetUp = await restored.then(
      () => true,
      () => false,
    );
    if (!isSetUp || this.#restored !== restored) return;
    this.isUp = true;
    this.subscriptions.changed(this.#server);
  }

  /** Everything is answered, and what was left has lingered. */
  async settle(): Promise<void> {
    for (let round = 0; round < 3 * LINGER_TICKS; round++) {
      await nextTurn();
      while (this.#unanswered.length > 0) this.answer();
      this.subscriptions.tick();
    }
  }

  #ask(answered: () => void): Promise<void> {
    return new Promise((resolve, reject) => this.#unanswered.push({ resolve: () => (answered(), resolve()), reject }));
  }
}

const OWN = 'bus';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe('whatever is joined and left, answered late, and lost', () => {
  const name = fc.constantFrom('user:ann', 'topic:feed');
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('join' as const), name }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('leave' as const), name }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('tick' as const, 'turn' as const, 'linger' as const) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('answer' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const) }) },
  );

  it('Redis sends in the end what is joined, and nothing else; what is active it sends at any time', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
        const link = new Link();
        // As each node does: a new connection is never without channels.
        link.join(OWN);
        const present = new Set([OWN]);
        for (const each of steps) {
          switch (each.do) {
            case 'join':
              link.join(each.name);
              present.add(each.name);
              break;
            case 'leave':
              link.subscriptions.leave(each.name);
              present.delete(each.name);
              break;
            case 'tick':
              link.subscriptions.tick();
              break;
            case 'linger':
              await nextTurn();
              for (let tick = 0; tick < LINGER_TICKS; tick++) link.subscriptions.tick();
              break;
            case 'turn':
              await nextTurn();
              break;
            case 'answer':
              await nextTurn();
              link.answer();
              await nextTurn();
              break;
            case 'lose':
              link.lose();
              break;
          }
          for (const active of present) {
            if (link.subscriptions.isActive(active)) expect(link.heard).toContain(active);
          }
        }
        await link.settle();
        const heard = [...link.heard].filter((channel) => !channel.includes(':restored:'));
        expect(heard.sort()).toEqual([...present].sort());
      }),
      { numRuns: 500 },
    );
  });
});
