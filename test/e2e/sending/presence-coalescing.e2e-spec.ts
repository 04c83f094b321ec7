import {
  MessageBody,
  OnJoin,
  OnLeave,
  OnSubscribe,
  TopicGateway,
  TopicName,
  type PresenceChange,
} from 'nestjs-realtime';
import { testToken, type ReceivedFrame } from 'nestjs-realtime/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import type { RealtimeApp } from '../../helpers/realtime-app.js';
import { connected, nextOf, sdkFor } from '../../helpers/sdk.js';
import { Stage, type StageGuest } from '../../helpers/stage.js';

/** The calls of the gateway's hooks, on any node. */
let hooks: string[] = [];

@TopicGateway('room:{id}', { presence: true })
class RoomTopic {
  @OnSubscribe()
  enter(@MessageBody('name') name?: string) {
    return { info: { name } };
  }

  @OnJoin()
  @OnLeave()
  changed(@MessageBody() { kind, userId }: PresenceChange, @TopicName() topic: string) {
    if (userId === 'ann') hooks.push(`${kind} ${topic}`);
  }
}

const WINDOW_MS = 400;

let rooms = 0;
/** One of its own for each test. */
let topic: string;

beforeEach(() => {
  hooks = [];
  topic = `room:${++rooms}`;
});

interface News {
  readonly kind: string;
  readonly userId: string;
  readonly name: string | undefined;
}

/** A client that applies what it is told to the answer that it has asked for. */
class Watcher {
  readonly news: News[] = [];
  readonly #users = new Map<string, string | undefined>();

  private constructor(
    /** Asks who is there, and leaves the picture as it is. */
    readonly read: () => Promise<readonly (readonly [userId: string, name: string | undefined])[]>,
  ) {}

  static async plain(node: RealtimeApp, userId: string): Promise<Watcher> {
    const guest = await node.connectAs(userId);
    const watcher = new Watcher(async () => {
      const { payload } = await guest.request({ action: 'presence', topic });
      return payload.users.map(({ userId: id, info }: any) => [id, info?.name]);
    });
    (guest.socket as unknown as WebSocket).on('message', (data) => {
      const { type, payload }: ReceivedFrame = JSON.parse((data as Buffer).toString());
      const kind = type.replace('realtime:', '');
      if (['joined', 'left', 'updated'].includes(kind)) watcher.#hear(kind, payload.userId, payload.info?.name);
    });
    await guest.request({ action: 'subscribe', topic, presence: true });
    return watcher;
  }

  static async sdk(node: RealtimeApp, userId: string): Promise<Watcher> {
    const client = await connected(sdkFor(node, { token: testToken(userId) }));
    const subscription = client.newSubscription(topic, { joinLeave: true });
    const watcher = new Watcher(async () => {
      const { clients } = await subscription.presence();
      return Object.values(clients).map(({ user, connInfo }) => [user, connInfo?.name]);
    });
    // A changed info is another join.
    subscription.on('join', ({ info }) =>
      watcher.#hear(watcher.#isIn(info.user) ? 'updated' : 'joined', info.user, info.connInfo?.name),
    );
    subscription.on('leave', ({ info }) => watcher.#hear('left', info.user, info.connInfo?.name));
    const done = nextOf(subscription, 'subscribed');
    subscription.subscribe();
    await done;
    return watcher;
  }

  /** Asks who is there. */
  async ask(): Promise<void> {
    const told = this.news.length;
    const users = await this.read();
    this.#users.clear();
    for (const [userId, name] of users) this.#users.set(userId, name);
    this.news.slice(told).forEach((news) => this.#apply(news));
  }

  get users(): Record<string, string | undefined> {
    return Object.fromEntries(this.#users);
  }

  /** What it was told of a user. */
  of(userId: string): readonly News[] {
    return this.news.filter((news) => news.userId === userId);
  }

  #isIn(userId: string): boolean {
    const last = this.of(userId).at(-1);
    return last !== undefined && last.kind !== 'left';
  }

  #hear(kind: string, userId: string, name: string | undefined): void {
    this.news.push({ kind, userId, name });
    this.#apply(this.news.at(-1)!);
  }

  #apply({ kind, userId, name }: News): void {
    if (kind === 'left') this.#users.delete(userId);
    else this.#users.set(userId, name);
  }
}

/** Watchers of both protocols on every node, who have heard of each other and asked who is there. */
async function watchersOn(stage: Stage): Promise<Watcher[]> {
  const watchers = await Promise.all(
    stage.nodes.flatMap((node, n) => [Watcher.plain(node, `plain-${n}`), Watcher.sdk(node, `sdk-${n}`)]),
  );
  const all = watchers.length;
  await expect.poll(async () => (await stage.realtime.usersIn(topic)).userCount).toBe(all);
  for (const watcher of watchers) {
    await watcher.ask();
    await expect.poll(() => Object.keys(watcher.users).length).toBe(all);
  }
  return watchers;
}

async function enter(stage: Stage, userId: string, name?: string): Promise<StageGuest> {
  const guest = await stage.connectAs(userId);
  await guest.request({ action: 'subscribe', topic, payload: { name } });
  return guest;
}

const leave = (guest: StageGuest) => guest.request({ action: 'unsubscribe', topic });
const comeBack = (guest: StageGuest, name?: string) => guest.request({ action: 'subscribe', topic, payload: { name } });

/** Waits until all nodes would say so: changes that follow each other faster may be told as one. */
function isKnown(stage: Stage, userId: string, isIn: boolean): Promise<void> {
  const users = async () => (await stage.realtime.usersIn(topic)).users.map((member) => member.userId);
  return expect.poll(async () => (await users()).includes(userId), { interval: 5 }).toBe(isIn);
}

/** Comes and goes. */
async function flap(stage: Stage, ann: StageGuest, times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    await leave(ann);
    await isKnown(stage, 'ann', false);
    await comeBack(ann);
    await isKnown(stage, 'ann', true);
  }
}

/** The most that a watcher may be told of one user in this time. */
const mostSince = (begin: number) => Math.floor((performance.now() - begin) / WINDOW_MS) + 1;

describe('a user who comes and goes without pause', () => {
  const options = { centrifuge: true, presence: { coalesceMs: WINDOW_MS } };
  const stage = Stage.shared({ providers: [RoomTopic], options });

  it('is told of once in a window, joins and leaves in turn, and as it is in the end', async () => {
    const watchers = await watchersOn(stage);
    const begin = performance.now();
    const ann = await enter(stage, 'ann');
    await flap(stage, ann, 12);
    await leave(ann);
    for (const watcher of watchers) {
      await expect.poll(() => watcher.of('ann').at(-1)?.kind).toBe('left');
      expect(watcher.of('ann').length).toBeLessThanOrEqual(mostSince(begin));
      const alternating = watcher.of('ann').map((_, n) => (n % 2 === 0 ? 'joined' : 'left'));
      expect(watcher.of('ann').map(({ kind }) => kind)).toEqual(alternating);
      expect(watcher.users).not.toHaveProperty('ann');
    }
  });

  it('is there for all in the end when it stays', async () => {
    const watchers = await watchersOn(stage);
    await flap(stage, await enter(stage, 'ann'), 3);
    // The window of this one ends after the last of ann's first.
    const bob = await enter(stage, 'bob');
    await isKnown(stage, 'bob', true);
    await leave(bob);
    for (const watcher of watchers) {
      await expect.poll(() => watcher.of('bob').at(-1)?.kind).toBe('left');
      await expect.poll(() => watcher.of('ann').at(-1)?.kind).toBe('joined');
    }
  });

  it('is right for a watcher that begins in between', async () => {
    await watchersOn(stage);
    const ann = await enter(stage, 'ann');
    const late: Watcher[] = [];
    for (const [n, node] of stage.nodes.entries()) {
      await leave(ann);
      late.push(await Watcher.plain(node, `late-${n}`), await Watcher.sdk(node, `late-sdk-${n}`));
      for (const watcher of late) await watcher.ask();
      await comeBack(ann);
      await Promise.all(late.map((watcher) => watcher.ask()));
      await leave(ann);
      await comeBack(ann, 'last');
    }
    for (const watcher of late) await expect.poll(() => watcher.users).toMatchObject({ ann: 'last' });
    await leave(ann);
    for (const watcher of late) await expect.poll(() => watcher.users).not.toHaveProperty('ann');
  });

  it('is in each answer as it is, and in the pictures of those that have asked in between', async () => {
    const watchers = await watchersOn(stage);
    const ann = await enter(stage, 'ann');
    for (const isIn of [false, true, false]) {
      await (isIn ? comeBack(ann) : leave(ann));
      await isKnown(stage, 'ann', isIn);
      const answers = await Promise.all(watchers.map((watcher) => watcher.read()));
      expect(answers.map((users) => users.some(([userId]) => userId === 'ann'))).toEqual(watchers.map(() => isIn));
    }
    for (const watcher of watchers) await watcher.ask();
    await comeBack(ann, 'last');
    for (const watcher of watchers) await expect.poll(() => watcher.users).toHaveProperty('ann', 'last');
    await leave(ann);
    for (const watcher of watchers) await expect.poll(() => watcher.users).not.toHaveProperty('ann');
  });

  it('is known to the hooks and the server each time', async () => {
    await watchersOn(stage);
    const ann = await enter(stage, 'ann');
    const calls = [`joined ${topic}`];
    await expect.poll(() => hooks, { interval: 5 }).toEqual(calls);
    for (let time = 0; time < 5; time++) {
      await leave(ann);
      calls.push(`left ${topic}`);
      await expect.poll(() => hooks, { interval: 5 }).toEqual(calls);
      await comeBack(ann);
      calls.push(`joined ${topic}`);
      await expect.poll(() => hooks, { interval: 5 }).toEqual(calls);
    }
  });
});

describe('what is shown of a user', () => {
  const options = { centrifuge: true, presence: { coalesceMs: WINDOW_MS } };
  const stage = Stage.shared({ providers: [RoomTopic], options });

  it('is told once in a window, and the last in the end', async () => {
    const watchers = await watchersOn(stage);
    const begin = performance.now();
    await enter(stage, 'ann', 'first');
    await isKnown(stage, 'ann', true);
    for (let n = 0; n < 30; n++) await stage.realtime.updatePresence(topic, 'ann', { name: `${n}` });
    for (const watcher of watchers) {
      await expect.poll(() => watcher.users['ann']).toBe('29');
      expect(watcher.of('ann').length).toBeLessThanOrEqual(mostSince(begin));
      expect(watcher.of('ann').map(({ kind }, n) => kind === (n === 0 ? 'joined' : 'updated'))).not.toContain(false);
    }
  });
});

describe('twin: without a window', () => {
  const stage = Stage.shared({
    providers: [RoomTopic],
    options: { centrifuge: true, presence: { coalesceMs: 0 } },
  });

  it('watchers are told far more often', async () => {
    const watchers = await watchersOn(stage);
    await flap(stage, await enter(stage, 'ann'), 12);
    // 25 changes; two that a node has not reported yet when the next one comes are one report.
    for (const watcher of watchers) await expect.poll(() => watcher.of('ann').length).toBeGreaterThan(12);
  });
});
