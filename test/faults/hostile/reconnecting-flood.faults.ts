import { setTimeout as delay } from 'node:timers/promises';
import { CurrentConnection, OnMessage, OnSubscribe, TopicGateway, type RealtimeConnection } from 'nestjs-realtime';
import { Clock } from 'nestjs-realtime/ports';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { JsonCodec } from '../../../lib/codecs/json/json-codec.js';
import { AllowancePool } from '../../../lib/core/protocol/allowance-pool.js';
import { answerRateOf } from '../../../lib/core/protocol/answer-pace.js';
import { ClientAllowance } from '../../../lib/core/protocol/client-allowance.js';
import { commandRateOf } from '../../../lib/core/protocol/command-allowance.js';
import { REFUSAL_RATE } from '../../../lib/core/protocol/refusal-rate.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { commandFrame } from '../../helpers/raw-frames.js';
import { NO_HARM, Scene } from '../../helpers/scene.js';

/** The number of commands that were carried out, by user. */
let handled: Map<string, number>;

@TopicGateway('desk')
class DeskTopic {
  @OnMessage('count', { requireSubscription: false })
  count(@CurrentConnection() { userId }: RealtimeConnection) {
    handled.set(userId, (handled.get(userId) ?? 0) + 1);
  }
}

@TopicGateway('log', { history: { size: 300, ttlMs: 600_000 } })
class LogTopic {
  @OnSubscribe()
  join() {
    return true;
  }
}

beforeEach(() => {
  handled = new Map();
});

const COMMANDS = 100;
const VISITS = 8;
const LIMITS = { maxConnectionsPerUser: 2, acceptsPerSecond: Infinity };

/** Connects again and again, and sends as much as one may at once each time, in no time. */
async function flood(userId: string): Promise<Scene> {
  const scene = await Scene.set({
    providers: [DeskTopic],
    options: { limits: LIMITS },
    ports: [{ provide: Clock, useValue: new ManualClock() }],
  });
  const commands = Array.from({ length: COMMANDS }, (_, id) =>
    commandFrame({ action: 'message', topic: 'desk', type: 'count', id }),
  );
  for (let visit = 0; visit < VISITS; visit++) {
    const guest = await scene.raw({ userId });
    await guest.write(Buffer.concat(commands));
    await guest.answer(COMMANDS - 1);
    const end = scene.endOf(guest);
    guest.client.socket.destroy();
    await end;
  }
  return scene;
}

describe('a user who connects again for each burst of commands', () => {
  it('can send what as many connections at once could, and others what they ever could', async () => {
    const scene = await flood('bad');
    const guest = await scene.raw({ userId: 'bad-neighbour' });
    await guest.write(commandFrame({ action: 'message', topic: 'desk', type: 'count', id: 1 }));
    await guest.answer(1);
    expect([handled.get('bad'), handled.get('bad-neighbour')]).toEqual([2 * COMMANDS, 1]);
    expect(await scene.harm()).toEqual(NO_HARM);
  });

  it('twin: can send a burst more each time when every connection has an allowance of its own', async () => {
    giveEachConnectionItsOwn({ commandsPerSecond: 20, commandBurst: 100, maxTopicsPerConnection: 128 });
    await flood('bad');
    expect(handled.get('bad')).toBe(VISITS * COMMANDS);
  });
});

/** Two answers of 900 KB are more than the 21 x 64 KiB that a connection may draw at once, and are paid for in seven seconds. */
const FEW = { commandsPerSecond: 1, commandBurst: 20, maxTopicsPerConnection: 1, sendQueueBytes: 4_194_304 };

/** Connects again and again, and asks four times for a large history. @returns the answers to each visit */
async function draw(expected: readonly number[]): Promise<number[]> {
  const scene = await Scene.set({
    providers: [LogTopic],
    options: { limits: { ...LIMITS, ...FEW, maxConnectionsPerUser: 1 } },
  });
  const payload = 'x'.repeat(3_000);
  await Promise.all(Array.from({ length: 300 }, () => scene.app.realtime.publish('log', { type: 'line', payload })));
  const commands = ['subscribe', ...Array.from({ length: 4 }, () => 'history')].map((action, id) =>
    commandFrame({ action, topic: 'log', id }),
  );
  const drawn = [];
  for (const count of expected) {
    const guest = await scene.raw({ userId: 'bad' });
    const answers = () => guest.said.filter(({ type }) => type === 'realtime:history').length;
    await guest.write(Buffer.concat(commands));
    await expect.poll(answers).toBeGreaterThanOrEqual(count);
    await delay(200);
    drawn.push(answers());
    const end = scene.endOf(guest);
    guest.client.socket.destroy();
    await end;
  }
  return drawn;
}

describe('a user who connects again for each burst of large answers', () => {
  it('draws no more than one connection could', async () => {
    expect(await draw([2, 0, 0])).toEqual([2, 0, 0]);
  });

  it('twin: draws as much each time when every connection has an allowance of its own', async () => {
    giveEachConnectionItsOwn(FEW);
    expect(await draw([2, 2, 2])).toEqual([2, 2, 2]);
  });
});

/** Connects again and again, and sends more than one may each time, in no time. @returns how many commands were decoded */
async function provoke(visits: number): Promise<number> {
  const scene = await Scene.set({
    options: { limits: { ...LIMITS, maxConnectionsPerUser: 1 } },
    ports: [{ provide: Clock, useValue: new ManualClock() }],
  });
  const decode = vi.spyOn(JsonCodec.prototype, 'decode');
  onTestFinished(() => decode.mockRestore());
  const pings = Buffer.concat(Array.from({ length: 2_600 }, () => commandFrame({ action: 'ping' })));
  for (let visit = 0; visit < visits; visit++) {
    const guest = await scene.raw({ userId: 'bad' });
    const before = decode.mock.calls.length;
    await guest.write(pings);
    // One that begins with a used allowance is read once its first pause is over.
    await expect.poll(() => decode.mock.calls.length).toBeGreaterThan(before);
    await guest.isLeftUnread();
    const end = scene.endOf(guest);
    guest.client.socket.destroy();
    await end;
  }
  return decode.mock.calls.length;
}

describe('a user who connects again for each burst of refusals', () => {
  /** What may be carried out and refused, and what is decoded at the end of each pause or twice. */
  const MOST_DECODED = COMMANDS + REFUSAL_RATE.burst + 200;

  it('is refused no more than one connection would be; what else is sent is not decoded', async () => {
    expect(await provoke(4)).toBeLessThan(MOST_DECODED);
  });

  it('twin: is refused as much each time when every connection has an allowance of its own', async () => {
    giveEachConnectionItsOwn({ commandsPerSecond: 20, commandBurst: COMMANDS, maxTopicsPerConnection: 1 });
    expect(await provoke(4)).toBeGreaterThanOrEqual(4 * 2_600);
  });
});

function giveEachConnectionItsOwn(limits: Parameters<typeof commandRateOf>[0]): void {
  const total = { perSecond: 500, burst: 500 };
  const rate = { ...commandRateOf(limits), total, answers: answerRateOf(limits), pings: total, refusals: REFUSAL_RATE };
  const take = vi.spyOn(AllowancePool.prototype, 'take').mockImplementation((_user, _inUse, now) => {
    return new ClientAllowance(rate, now);
  });
  onTestFinished(() => take.mockRestore());
}
