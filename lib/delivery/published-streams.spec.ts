import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { collectLogs } from '../../test/helpers/handler-harness.js';
import { StreamFleet, type FleetNode } from '../../test/helpers/stream-fleet.js';
import { KEY_LIFE_MS } from '../core/history/publication-streams.js';
import type { StreamRun } from '../core/history/stream-run.js';
import { StreamPlaces } from './stream-places.js';

const TOPIC = 'chat:1';

let fleet: StreamFleet;
let a: FleetNode;
let b: FleetNode;
let c: FleetNode;
let logs: string[];

beforeEach(() => {
  logs = collectLogs();
  fleet = new StreamFleet();
  [a, b, c] = [fleet.join('a'), fleet.join('b'), fleet.join('c')];
});

/** Yields these, then waits for ever. */
const stuckAfter = (...items: readonly string[]) =>
  async function* () {
    yield* items;
    await new Promise(() => undefined);
  };

const yielding = (...items: readonly unknown[]) =>
  async function* () {
    yield* items;
  };

/** Waits until an assertion holds, for as long as a busy machine takes. */
const eventually = (assertion: () => void | Promise<void>) => vi.waitFor(assertion, { timeout: 15_000 });

const neverCalled = () => {
  throw new Error('A stream that runs was started again.');
};

/** Starts a stream that never ends, and waits until its first piece is published. */
async function startStuck(node: FleetNode, id = 's1'): Promise<void> {
  await node.streams.start(TOPIC, stuckAfter('so far'), { id, flushMs: 0 });
  await eventually(async () => expect(await fleet.payloads(TOPIC)).toHaveLength(1));
}

describe('the stream of a node that crashed', () => {
  it('is ended by the node that is told, with an error, behind its last piece', async () => {
    await startStuck(a);
    fleet.crash(a, b);
    await eventually(async () => expect(await fleet.payloads(TOPIC)).toHaveLength(2));
    expect(await fleet.payloads(TOPIC)).toEqual([
      { id: 's1', seq: 0, items: ['so far'] },
      { id: 's1', seq: 1, error: 'The stream was interrupted: its server has failed.' },
    ]);
    await eventually(() => expect(fleet.isRegistered(TOPIC, 's1')).toBe(false));
  });

  it('is ended once when the node that ends it crashes, too', async () => {
    await startStuck(a);
    fleet.history.isAway = true;
    fleet.crash(a, b);
    await eventually(() => expect(fleet.isRegistered(TOPIC, 's1')).toBe(true));
    fleet.crash(b, c);
    fleet.history.isAway = false;
    await eventually(async () => expect(await fleet.payloads(TOPIC)).toHaveLength(2));
    await delay(20);
    expect(await fleet.payloads(TOPIC)).toHaveLength(2);
  });

  it('stays ended when it had ended, and only its registration was left', async () => {
    const stream = await a.streams.start(TOPIC, yielding('x'), { id: 's1' });
    a.presence.isMute = true;
    await stream.done;
    fleet.crash(a, b);
    await delay(20);
    expect(await fleet.payloads(TOPIC)).toHaveLength(2);
  });

  it('is ended without a number when none of its pieces is kept', async () => {
    await startStuck(a);
    for (let n = 0; n < fleet.retention.size; n++) await fleet.publish(TOPIC, `"other ${n}"`);
    fleet.crash(a, b);
    await eventually(async () => expect((await fleet.payloads(TOPIC)).at(-1)).toMatchObject({ id: 's1' }));
    expect((await fleet.payloads(TOPIC)).at(-1)).toEqual({ id: 's1', error: expect.any(String) });
  });

  it('is ended without a number, too, when its first piece was published so long ago that its place is free', async () => {
    await startStuck(a);
    for (let n = 0; n < fleet.retention.size; n++) await fleet.publish(TOPIC, `"other ${n}"`);
    fleet.history.forgetsKeys = true;
    fleet.crash(a, b);
    await eventually(async () => expect((await fleet.payloads(TOPIC)).at(-1)).toMatchObject({ id: 's1' }));
    expect((await fleet.payloads(TOPIC)).at(-1)).toEqual({ id: 's1', error: expect.any(String) });
  });

  it('cannot be started again before its end is published', async () => {
    await startStuck(a);
    fleet.history.isAway = true;
    fleet.crash(a, b);
    await eventually(() => expect(fleet.isRegistered(TOPIC, 's1')).toBe(true));
    const source = vi.fn(yielding('new'));
    await b.streams.start(TOPIC, source, { id: 's1' });
    await c.streams.start(TOPIC, source, { id: 's1' });
    expect(source).not.toHaveBeenCalled();
    fleet.history.isAway = false;
    await eventually(() => expect(fleet.isRegistered(TOPIC, 's1')).toBe(false));
    await (
      await c.streams.start(TOPIC, source, { id: 's1' })
    ).done;
    expect((await fleet.payloads(TOPIC)).map(({ error, items }) => error ?? items)).toEqual([
      ['so far'],
      expect.any(String),
      ['new'],
      undefined,
    ]);
  });
});

describe('a node that was only taken for dead', () => {
  /** A node whose stream of two pieces was ended behind the first one. It has not heard of it. */
  async function takenForDead() {
    let goOn: () => void = () => undefined;
    const more = new Promise<void>((resolve) => (goOn = resolve));
    const source = async function* () {
      yield 'a';
      await more;
      yield 'b';
    };
    const { done } = await a.streams.start(TOPIC, source, { id: 's1', flushMs: 0 });
    await eventually(async () => expect(await fleet.payloads(TOPIC)).toHaveLength(1));
    fleet.crash(a, b);
    await eventually(async () => expect(await fleet.payloads(TOPIC)).toHaveLength(2));
    return { goOn, done };
  }

  it('ends its source when it is back, and adds nothing behind the end', async () => {
    let give: () => void = () => undefined;
    const more = new Promise<void>((resolve) => (give = resolve));
    let isReturned = false;
    const source = async function* () {
      try {
        yield 'a';
        await more;
        yield 'b';
        await new Promise(() => undefined);
      } finally {
        isReturned = true;
      }
    };
    const { done } = await a.streams.start(TOPIC, source, { id: 's1', flushMs: 0 });
    await eventually(async () => expect(await fleet.payloads(TOPIC)).toHaveLength(1));
    fleet.crash(a, b);
    await eventually(async () => expect(await fleet.payloads(TOPIC)).toHaveLength(2));
    // It has not heard of it, and goes on.
    give();
    expect(await done).toEqual({ reason: 'error', pieces: 1 });
    expect((await fleet.payloads(TOPIC)).map(({ seq, error }) => [seq, error !== undefined])).toEqual([
      [0, false],
      [1, true],
    ]);
    expect(isReturned).toBe(false);
  });

  it('twin: would go on behind the end, if a place could be taken twice', async () => {
    const { goOn, done } = await takenForDead();
    fleet.history.forgetsKeys = true;
    goOn();
    await done;
    expect((await fleet.payloads(TOPIC)).map(({ seq }) => seq)).toEqual([0, 1, 1, 2]);
  });

  it('adds nothing behind the end either when it was away for longer than the places are kept', async () => {
    const { goOn, done } = await takenForDead();
    fleet.history.forgetsKeys = true;
    fleet.now += KEY_LIFE_MS / 2;
    goOn();
    expect(await done).toEqual({ reason: 'error', pieces: 1 });
    expect((await fleet.payloads(TOPIC)).map(({ seq }) => seq)).toEqual([0, 1]);
  });

  it('asks again whether its stream has ended while the history is away', async () => {
    const { goOn, done } = await takenForDead();
    fleet.history.forgetsKeys = true;
    fleet.history.isAway = true;
    fleet.now += KEY_LIFE_MS;
    goOn();
    await delay(20);
    fleet.history.isAway = false;
    expect(await done).toEqual({ reason: 'error', pieces: 1 });
    expect((await fleet.payloads(TOPIC)).map(({ seq }) => seq)).toEqual([0, 1]);
  });

  it('ends its source as soon as it is told that it was', async () => {
    await startStuck(a);
    const { done } = await a.streams.start(TOPIC, stuckAfter(), { id: 's1' });
    fleet.crash(a, b);
    a.presence.reportAgain(TOPIC, 's1');
    expect(await done).toEqual({ reason: 'error', pieces: 1 });
    await eventually(() => expect(fleet.isRegistered(TOPIC, 's1')).toBe(false));
    expect(await fleet.payloads(TOPIC)).toHaveLength(2);
  });
});

describe('while the history cannot be reached', () => {
  it('the producer waits, and nothing is lost or published twice', async () => {
    let yielded = 0;
    const source = async function* () {
      for (; yielded < 100; yielded++) yield '0123456789';
    };
    fleet.history.isAway = true;
    const { done } = await a.streams.start(TOPIC, source, { maxBytes: 20 });
    await delay(250);
    expect(yielded).toBeLessThan(4);
    fleet.history.losesReplies = 3;
    fleet.history.isAway = false;
    expect(await done).toEqual({ reason: 'end', pieces: 50 });
    const payloads = await fleet.payloads(TOPIC);
    expect(payloads.map(({ seq }) => seq)).toEqual(Array.from({ length: 51 }, (_, n) => n));
    expect(payloads.flatMap(({ items = [] }) => items).join('')).toBe('0123456789'.repeat(100));
  });

  describe('for more than a minute', () => {
    beforeEach(() => void vi.useFakeTimers());
    afterEach(() => void vi.useRealTimers());

    it('the stream is given up: its signal is aborted, and readers are told when the history is back', async () => {
      let signal: AbortSignal | undefined;
      const source = async function* (given: AbortSignal) {
        signal = given;
        yield 'kept';
        yield 'lost';
        await new Promise(() => undefined);
      };
      const stream = await a.streams.start(TOPIC, source, { id: 's1', maxBytes: 4, flushMs: 0 });
      await vi.advanceTimersByTimeAsync(0);
      fleet.history.isAway = true;
      const other = await a.streams.start(TOPIC, source, { id: 's2', maxBytes: 4 });
      await vi.advanceTimersByTimeAsync(59_000);
      expect(signal!.aborted).toBe(false);
      await vi.advanceTimersByTimeAsync(3_000);
      expect([await other.done, signal!.aborted]).toEqual([{ reason: 'error', pieces: 0 }, true]);
      // Until its end is published it counts as running.
      expect(await a.streams.start(TOPIC, neverCalled, { id: 's2' })).toBe(other);
      expect(fleet.isRegistered(TOPIC, 's2')).toBe(true);
      fleet.history.isAway = false;
      await vi.advanceTimersByTimeAsync(6_000);
      expect((await fleet.payloads(TOPIC)).filter(({ id }) => id === 's2')).toEqual([
        { id: 's2', seq: 0, error: 'The stream was interrupted: it could not be published in time.' },
      ]);
      expect(fleet.isRegistered(TOPIC, 's2')).toBe(false);
      await stream.stop();
      expect((await stream.done).pieces).toBe(2);
    });
  });

  it('a stream does not start, and its source is not called', async () => {
    fleet.isAway = true;
    const source = vi.fn(yielding('a'));
    await expect(a.streams.start(TOPIC, source)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(source).not.toHaveBeenCalled();
    fleet.isAway = false;
    await (
      await a.streams.start(TOPIC, source)
    ).done;
    expect(source).toHaveBeenCalledOnce();
  });

  it('a stream does not start before the others know how to end it, and its id is free again', async () => {
    a.presence.cannotReport = true;
    const source = vi.fn(yielding('a'));
    await expect(a.streams.start(TOPIC, source, { id: 's1' })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect([source.mock.calls, fleet.isRegistered(TOPIC, 's1')]).toEqual([[], false]);
    const { done } = await b.streams.start(TOPIC, source, { id: 's1' });
    expect(await done).toMatchObject({ reason: 'end' });
  });

  it('it waits no longer than its time', async () => {
    fleet.history.isAway = true;
    const places = new StreamPlaces(fleet.history, () => undefined, 300);
    const run: StreamRun = { topic: TOPIC, id: 's', type: 't', node: 'a', nonce: 'r', retention: fleet.retention };
    const start = performance.now();
    await expect(places.fill(run, 0, '{"type":"t"}')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(performance.now() - start).toBeGreaterThanOrEqual(299);
  });
});

describe('a drain', () => {
  it('waits for streams that end in time', async () => {
    const source = async function* () {
      await delay(50);
      yield 'a';
    };
    const { done } = await a.streams.start(TOPIC, source);
    await a.drain.start();
    expect(await done).toEqual({ reason: 'end', pieces: 1 });
  });

  it('ends others with an error, behind what was collected', async () => {
    let isAborted = false;
    const source = async function* (signal: AbortSignal) {
      signal.addEventListener('abort', () => (isAborted = true));
      yield 'a';
      await new Promise(() => undefined);
    };
    const { done } = await a.streams.start(TOPIC, source, { flushMs: 10_000 });
    await a.drain.start();
    expect([await done, isAborted]).toEqual([{ reason: 'error', pieces: 1 }, true]);
    expect(await fleet.payloads(TOPIC)).toMatchObject([
      { seq: 0, items: ['a'] },
      { seq: 1, error: 'The stream was interrupted: its server is shutting down.' },
    ]);
    await expect(a.streams.start(TOPIC, source)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('does not wait for ever when nothing can be published', async () => {
    const { done } = await a.streams.start(TOPIC, stuckAfter('a'), { flushMs: 0 });
    fleet.history.isAway = true;
    await a.drain.start();
    a.streams.close();
    expect((await done).reason).toBe('error');
  });
});

describe('a source', () => {
  it('that never waits leaves room for others', async () => {
    const stream = await a.streams.start(
      TOPIC,
      async function* () {
        for (;;) yield 'x';
      },
      { id: 'endless' },
    );
    await delay(20);
    await stream.stop();
    expect((await stream.done).reason).toBe('stopped');
  });

  it('that fails is logged with its stack; one that says something to clients is not', async () => {
    const failing = (error: unknown) => () => {
      throw error;
    };
    await (
      await a.streams.start(TOPIC, failing(new Error('secret')), { id: 's1' })
    ).done;
    await (
      await a.streams.start(TOPIC, failing('told: no such model'), { id: 's2' })
    ).done;
    expect(logs).toEqual([expect.stringContaining('The stream "s1" of the topic "chat:1" failed')]);
    expect((await fleet.payloads(TOPIC)).map(({ error }) => error)).toEqual([
      'The server failed to handle this; its log has the reason.',
      'told: no such model',
    ]);
  });

  it('whose item cannot be sent is logged with its number', async () => {
    await (
      await a.streams.start(TOPIC, yielding('a', new Set()), { id: 's1' })
    ).done;
    expect(logs.join()).toContain('Item 2 of the source cannot be sent: it is a Set; send [...set]');
  });

  it('whose piece is too large ends with an error, in the place of that piece', async () => {
    fleet.history.maxLength = 200;
    const { done } = await a.streams.start(TOPIC, yielding({ a: 1 }, { b: 'x'.repeat(200) }), {
      id: 's1',
      maxBytes: 5,
    });
    expect(await done).toEqual({ reason: 'error', pieces: 1 });
    await eventually(async () => expect(await fleet.payloads(TOPIC)).toHaveLength(2));
    expect((await fleet.payloads(TOPIC))[1]).toEqual({ id: 's1', seq: 1, error: expect.any(String) });
  });
});

it('The pieces of a stream are shown to those who watch its topic', async () => {
  const { tails } = a.meter;
  tails.read(TOPIC, true, 0);
  await (
    await a.streams.start(TOPIC, yielding('x'), { id: 's1', type: 'answer' })
  ).done;
  expect(tails.read(TOPIC, true, 0)).toMatchObject([
    { n: 1, type: 'answer', text: expect.stringContaining('"items":["x"]') },
    { n: 2, type: 'answer', text: expect.stringContaining('"end":true') },
  ]);
});

describe('stopping', () => {
  it('rejects when the node that runs the stream does not answer', async () => {
    await startStuck(a);
    fleet.isDeaf = true;
    await expect(b.streams.stop(TOPIC, 's1')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('reaches a stream that is about to start, wherever it is', async () => {
    const starting = a.streams.start(TOPIC, stuckAfter('a'), { id: 's1' });
    const stopped = a.streams.stop(TOPIC, 's1');
    expect([await stopped, (await (await starting).done).reason]).toEqual([true, 'stopped']);
  });
});
