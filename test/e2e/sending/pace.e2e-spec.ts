import { Server } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  allow,
  connection,
  CurrentConnection,
  MessageBody,
  OnSubscribe,
  RealtimeArgumentError,
  topic as topicAddress,
  TopicGateway,
  type RealtimeConnection,
} from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { Stage, type StageGuest } from '../../helpers/stage.js';

type Values = Readonly<Record<string, unknown>>;

const CITY = {
  slow: 'latest',
  key: ({ payload }: { payload?: unknown }) => String((payload as Values)['id']),
} as const;

@TopicGateway('map:{city}', { delivery: CITY })
class MapTopic {
  @OnSubscribe()
  enter(@CurrentConnection() me: RealtimeConnection) {
    return !me.roles.has('banned');
  }
}

@TopicGateway('ticker:{symbol}', { delivery: { slow: 'latest', maxRateHz: 20 } })
class TickerTopic {
  @OnSubscribe()
  enter(@MessageBody() wish?: { hz?: number }) {
    return allow({ maxRateHz: wish?.hz });
  }
}

@TopicGateway('state:{id}', {
  delivery: { slow: 'latest' },
  history: { size: 1, ttlMs: 60_000, sendLast: 1 },
})
class StateTopic {
  @OnSubscribe()
  enter() {
    return true;
  }
}

@TopicGateway('logs:{app}', { delivery: { slow: 'drop' } })
class LogsTopic {
  @OnSubscribe()
  enter() {
    return true;
  }
}

@TopicGateway('chat:{room}')
class ChatTopic {
  @OnSubscribe()
  enter() {
    return true;
  }
}

const stage = Stage.shared({ providers: [MapTopic, TickerTopic, StateTopic, LogsTopic, ChatTopic] });

let topics = 0;

/** A topic that no other test uses. */
const next = (kind: string) => `${kind}:${++topics}`;

async function reader(topic: string, more: object = {}): Promise<StageGuest> {
  const guest = await stage.connectAs(`user-${++topics}`);
  await guest.request({ action: 'subscribe', topic, ...more });
  return guest;
}

const update = (id: string, n: number, pad = '') => ({ type: 'moved', payload: { id, n, pad } });

/** Messages so large that the buffers of the kernel are full after some. */
const PAD = 'x'.repeat(64 * 1_024);

/** A client that can stop reading, and the messages that it has got. */
class Stopper {
  readonly got: { type: string; payload: Values }[] = [];
  closedWith: number | undefined;

  private constructor(
    readonly socket: WebSocket,
    /** The server's end. */
    readonly serverSide: Socket,
  ) {
    socket.on('message', (data: Buffer) => this.got.push(JSON.parse(data.toString())));
    socket.on('close', (code) => (this.closedWith = code));
  }

  static async in(topic: string, node = stage.nodes[0]!): Promise<Stopper> {
    const server = node.app.getHttpServer() as Server;
    const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
    const ws = new WebSocket(new URL(`/ws?token=${testToken(`stopper-${++topics}`)}`, node.url));
    onTestFinished(() => ws.terminate());
    await new Promise((resolve, reject) => ws.once('message', resolve).once('error', reject));
    const stopper = new Stopper(ws, await accepted);
    ws.send(JSON.stringify({ action: 'subscribe', id: 1, topic }));
    await expect.poll(() => stopper.got.map(({ type }) => type)).toContain('realtime:subscribed');
    stopper.got.length = 0;
    return stopper;
  }

  /** Publishes until nothing more goes into the buffers of the kernel. @returns the number of messages */
  async fill(publish: (n: number) => Promise<unknown>): Promise<number> {
    this.socket.pause();
    for (let n = 0; n < 2_000; n++) {
      await publish(n);
      await nextTurn();
      if (this.serverSide.writableLength > 0) return n + 1;
    }
    throw new Error('The buffers of the kernel are never full.');
  }

  values(): string[] {
    return this.got.flatMap(({ type, payload }) =>
      type === 'moved' ? [`${String(payload['id'])}${String(payload['n'])}`] : [],
    );
  }
}

describe('a topic that delivers the latest values', () => {
  it('gives everybody on every node each value while they take it', async () => {
    const topic = next('map');
    const guests = [await reader(topic), await reader(topic)];
    const reports = [];
    for (let n = 0; n < 5; n++) reports.push(await stage.realtime.publish(topic, update('a', n)));
    for (const guest of guests) {
      const values = [];
      for (let n = 0; n < 5; n++) values.push((await guest.next('moved')).payload.n);
      expect(values).toEqual([0, 1, 2, 3, 4]);
    }
    expect(reports).toEqual(reports.map(() => expect.objectContaining({ recipients: 2, complete: true })));
  });

  it('keeps a client open that has stopped reading, and gives it the last of each key in the order of the last change', async () => {
    const topic = next('map');
    const fast = await reader(topic);
    const slow = await Stopper.in(topic);
    const filled = await slow.fill((n) => stage.realtime.publish(topic, update('fill', n, PAD)));
    for (let n = 0; n < 60; n++) {
      await stage.realtime.publish(topic, update('abc'[n % 3]!, n, PAD));
      await nextTurn();
    }
    await fast.settled();
    slow.socket.resume();
    await expect.poll(() => slow.values().slice(-3)).toEqual(['a57', 'b58', 'c59']);
    expect([slow.closedWith, slow.values().length < filled + 20]).toEqual([undefined, true]);
  });

  it('twin: a topic that sends every message closes such a client', async () => {
    const topic = next('chat');
    const slow = await Stopper.in(topic);
    await slow.fill((n) => stage.realtime.publish(topic, update('fill', n, PAD)));
    for (let n = 0; n < 40; n++) {
      await stage.realtime.publish(topic, update('a', n, PAD));
      await nextTurn();
    }
    slow.socket.resume();
    await expect.poll(() => slow.closedWith).toBe(3008);
  });

  it('gives a newcomer what changes after it came', async () => {
    const topic = next('map');
    await reader(topic);
    await stage.realtime.publish(topic, update('a', 1));
    const late = await reader(topic);
    await stage.realtime.publish(topic, update('b', 2));
    expect((await late.next('moved')).payload.n).toBe(2);
  });

  it('withholds a value from whom it is not for', async () => {
    const topic = next('map');
    const [ann, bob] = [await reader(topic), await reader(topic)];
    const { recipients } = await stage.realtime.to(topicAddress(topic)).except(connection(ann.id)).send(update('a', 1));
    await stage.realtime.publish(topic, update('b', 2));
    expect([recipients, (await ann.next('moved')).payload.n, (await bob.next('moved')).payload.n]).toEqual([1, 2, 1]);
  });

  it('gives nothing of what came while rights were judged to a client that lost them', async () => {
    const topic = next('map');
    const ann = await reader(topic);
    const changed = stage.realtime.changeRights(connection(ann.id), { roles: ['banned'] });
    await stage.realtime.publish(topic, update('a', 1));
    await changed;
    await ann.next('realtime:unsubscribed');
    await stage.realtime.publish(topic, update('a', 2));
    await ann.settled();
    const got = ann.pending.filter(({ type }) => type === 'moved').map(({ payload }) => payload.n as number);
    // Over several nodes the first message may be there before the order is.
    const isSure = stage.nodes.length === 1;
    expect(got.filter((n) => n !== 1 || isSure)).toEqual([]);
  });

  it.each([
    ['throws', undefined],
    ['returns no string', { id: Symbol.iterator }],
  ])('refuses a message whose key function %s', async (_what, payload) => {
    const sent = stage.realtime.publish(next('map'), { type: 'moved', payload: payload && { id: 'x'.repeat(300) } });
    await expect(sent).rejects.toThrow(RealtimeArgumentError);
  });
});

describe('a topic with a rate', () => {
  it('gives the first value at once and then the last ones, at that rate', async () => {
    const topic = next('ticker');
    const guest = await reader(topic);
    const begin = performance.now();
    for (let n = 0; n < 100; n++) void stage.realtime.publish(topic, update('a', n), { report: false });
    const told = [(await guest.next('moved')).payload.n];
    while (told.at(-1) !== 99) told.push((await guest.next('moved')).payload.n);
    const intervals = (performance.now() - begin) / 50;
    expect([told[0], told.toSorted((x, y) => x - y)]).toEqual([0, told]);
    expect(told.length).toBeLessThanOrEqual(intervals + 1);
  });

  it('gives a client fewer updates that asks for fewer, in the command or by what the application allows', async () => {
    const topic = next('ticker');
    const [fast, slow, sdkLike] = [
      await reader(topic),
      await reader(topic, { maxRateHz: 0.1 }),
      await reader(topic, { payload: { hz: 0.1 } }),
    ];
    for (let n = 0; n < 2; n++) {
      await stage.realtime.publish(topic, update('a', n));
      await fast.next('moved');
    }
    for (const guest of [slow, sdkLike]) {
      await guest.settled();
      expect(guest.pending.map(({ payload }) => payload.n)).toEqual([0]);
    }
  });

  it.each([0, -1, 1_001, '2', null])('refuses a client’s rate of %j', async (maxRateHz) => {
    const guest = await stage.connectAs('ann');
    const answer = guest.next('realtime:error');
    guest.send({ action: 'subscribe', id: 7, topic: next('ticker'), maxRateHz });
    expect(await answer).toMatchObject({ id: 7, payload: { code: 'INVALID_MESSAGE' } });
  });

  it.each(['logs', 'chat'])('refuses a client’s rate in a topic that delivers every message: %s', async (kind) => {
    const guest = await stage.connectAs('ann');
    const answer = guest.next('realtime:error');
    guest.send({ action: 'subscribe', id: 7, topic: next(kind), maxRateHz: 2 });
    expect(await answer).toMatchObject({ id: 7, payload: { code: 'VALIDATION_FAILED', action: 'subscribe' } });
  });

  it('sends what waits before the application ends the subscription', async () => {
    const topic = next('ticker');
    const guest = await reader(topic, { maxRateHz: 0.1 });
    for (let n = 0; n < 3; n++) await stage.realtime.publish(topic, update('a', n));
    await stage.realtime.unsubscribe(guest.id, topic);
    const told = [await guest.next('moved'), await guest.next('moved')].map(({ payload }) => payload.n);
    expect(told).toEqual([0, 2]);
  });

  it('sends what waits before the application ends the connection', async () => {
    const topic = next('ticker');
    const guest = await reader(topic, { maxRateHz: 0.1 });
    for (let n = 0; n < 3; n++) await stage.realtime.publish(topic, update('a', n));
    await stage.realtime.disconnect(connection(guest.id));
    const told = [await guest.next('moved'), await guest.next('moved')].map(({ payload }) => payload.n);
    expect(told).toEqual([0, 2]);
  });
});

it('what waits is sent before a drain closes the connection', async () => {
  const own = await Stage.set({ providers: [TickerTopic] });
  const guest = await own.connectAs('ann');
  await guest.request({ action: 'subscribe', topic: 'ticker:own', maxRateHz: 0.1 });
  for (let n = 0; n < 3; n++) await own.realtime.publish('ticker:own', update('a', n));
  const closed = guest.node.realtime.drain();
  const told = [await guest.next('moved'), await guest.next('moved')].map(({ payload }) => payload.n);
  await closed;
  expect(told).toEqual([0, 2]);
});

describe('a state that is kept', () => {
  it('is sent to newcomers, and its latest value to all', async () => {
    const topic = next('state');
    await stage.realtime.publish(topic, update('a', 1));
    const ann = await reader(topic);
    await stage.realtime.publish(topic, update('a', 2));
    const told = [await ann.next('moved'), await ann.next('moved')].map(({ payload, offset }) => [payload.n, offset]);
    expect(told).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });

  it('skips versions for a client that has stopped reading, and ends with the last', async () => {
    const topic = next('state');
    const slow = await Stopper.in(topic);
    await slow.fill((n) => stage.realtime.publish(topic, update('a', n, PAD)));
    let last = 0;
    for (let n = 0; n < 40; n++) last = (await stage.realtime.publish(topic, update('a', n, PAD))).offset!;
    slow.socket.resume();
    await expect.poll(() => (slow.got.at(-1) as { offset?: number } | undefined)?.offset).toBe(last);
    const offsets = slow.got.map((each) => (each as { offset?: number }).offset!);
    expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
    expect(offsets.length).toBeLessThan(last - 20);
  });
});

describe('a topic that drops', () => {
  it('tells a client how much it has missed, once it reads again, and goes on', async () => {
    const topic = next('logs');
    const slow = await Stopper.in(topic);
    const other = await reader(topic);
    let dropped = 0;
    let sent = 0;
    slow.socket.pause();
    while (dropped < 20) {
      dropped += (await stage.realtime.publish(topic, update('a', sent++, PAD))).dropped ?? 0;
      await nextTurn();
      expect(sent).toBeLessThan(2_000);
    }
    await other.settled();
    slow.socket.resume();
    await expect.poll(() => slow.got.at(-1)).toMatchObject({ type: 'realtime:dropped', payload: { topic, count: 20 } });
    await stage.realtime.publish(topic, update('b', 7));
    await expect.poll(() => slow.values().at(-1)).toBe('b7');
    expect([slow.closedWith, slow.values().length]).toEqual([undefined, sent - 20 + 1]);
  });
});

describe('a volatile message', () => {
  it('is left out for a client that has stopped reading, and for nobody else', async () => {
    const topic = next('chat');
    const slow = await Stopper.in(topic);
    const other = await reader(topic);
    await slow.fill((n) => stage.realtime.publish(topic, update('fill', n, PAD)));
    await other.settled();
    const report = await stage.realtime.publish(topic, { type: 'typing' }, { volatile: true });
    await other.next('typing');
    expect(report).toMatchObject({ recipients: 1, dropped: 1, complete: true });
  });

  it('is refused for a topic that keeps a history', async () => {
    const sent = stage.realtime.publish(next('state'), { type: 'typing' }, { volatile: true });
    await expect(sent).rejects.toThrow('volatile does not work for a topic that keeps a history');
  });
});
