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
});
