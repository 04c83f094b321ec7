import { describe, expect, it } from 'vitest';
import type { RedisServer } from './redis-server.js';
import { SlotCalls, type SlotCall } from './slot-calls.js';

/** Two servers, and a slot that moves from the first to the second. */
class Move {
  readonly #servers = [{ address: 'a:1' }, { address: 'b:1' }] as unknown as RedisServer[];
  /** What was executed, and where: `a 1`. */
  readonly log: string[] = [];
  owner = 0;
  /** What a server replies to a call, if it does not execute it. */
  refuse: (server: string, name: string) => string | undefined = () => undefined;
  readonly calls: SlotCalls;

  constructor(limits = { commandTimeoutMs: 1_000, maxPendingCommands: 100 }) {
    this.calls = new SlotCalls(
      {
        owner: () => this.#servers[this.owner],
        follow: async ({ kind, address }) => {
          if (kind === 'moved') this.owner = 1;
          return this.#servers.find((server) => server.address === address)!;
        },
        executed: () => {},
        deferred: () => {},
      },
      limits,
    );
  }

  run(name: string, order = 'topic'): Promise<unknown> {
    return this.calls.run(this.#call(name, order));
  }

  #call(name: string, order: string): SlotCall {
    const attempt = async ({ address }: RedisServer) => {
      const text = this.refuse(address[0]!, name);
      // Servers reply in the order of the calls.
      await Promise.resolve();
      if (text !== undefined) throw Object.assign(new Error('UNAVAILABLE'), { cause: new Error(text) });
      this.log.push(`${address[0]} ${name}`);
      return name;
    };
    return { order, isWhole: false, attempt };
  }
}

describe('calls of a slot', () => {
  it('all go to its server at once', async () => {
    const move = new Move();
    expect(await Promise.all([move.run('1'), move.run('2')])).toEqual(['1', '2']);
    expect(move.log).toEqual(['a 1', 'a 2']);
  });

  it('follow the keys, once each and in their order', async () => {
    const move = new Move();
    move.refuse = (server, name) => (server === 'a' && name > '1' ? 'ASK 5 b:1' : undefined);
    await Promise.all(['1', '2', '3', '4'].map((name) => move.run(name)));
    expect(move.log).toEqual(['a 1', 'b 2', 'b 3', 'b 4']);
  });

  it('do not overtake those that their former server still refuses', async () => {
    const move = new Move();
    move.refuse = (server) => (server === 'a' ? 'MOVED 5 b:1' : undefined);
    const early = [move.run('1'), move.run('2')];
    move.owner = 1;
    await Promise.all([...early, move.run('3')]);
    expect(move.log).toEqual(['b 1', 'b 2', 'b 3']);
  });

  it('wait while keys are on both servers, and those of other orders do not', async () => {
    const move = new Move();
    let tries = 0;
    move.refuse = (_server, name) => (name !== '2' && ++tries < 6 ? 'TRYAGAIN …' : undefined);
    await Promise.all([move.run('1'), move.run('2', 'other'), move.run('3')]);
    expect(move.log).toEqual(['a 2', 'a 1', 'a 3']);
  });

  it('are refused after their time, with the reason, and the next one goes on', async () => {
    const move = new Move({ commandTimeoutMs: 50, maxPendingCommands: 100 });
    move.refuse = (_server, name) => (name === '1' ? 'TRYAGAIN …' : undefined);
    const [first, second] = await Promise.allSettled([move.run('1'), move.run('2')]);
    expect(first).toMatchObject({ status: 'rejected', reason: { cause: { message: 'TRYAGAIN …' } } });
    expect(second).toMatchObject({ status: 'fulfilled' });
  });

  it('fail at once with any other error', async () => {
    const move = new Move();
    move.refuse = () => 'OOM command not allowed';
    await expect(move.run('1')).rejects.toMatchObject({ cause: { message: 'OOM command not allowed' } });
  });

  it('are refused when too many wait', async () => {
    const move = new Move({ commandTimeoutMs: 100, maxPendingCommands: 2 });
    move.calls.holdUntil(Promise.resolve());
    const results = await Promise.allSettled(['1', '2', '3'].map((name) => move.run(name)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  });

  it('wait until it is clear whether data may go on', async () => {
    const move = new Move();
    let settle = () => {};
    move.calls.holdUntil(new Promise<void>((resolve) => (settle = resolve)));
    const done = Promise.all([move.run('1'), move.run('2')]);
    await new Promise(setImmediate);
    expect(move.log).toEqual([]);
    settle();
    await done;
    expect(move.log).toEqual(['a 1', 'a 2']);
  });
});
