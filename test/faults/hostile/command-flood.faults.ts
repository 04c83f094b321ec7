import {
  CurrentConnection,
  MessageBody,
  OnMessage,
  OnSubscribe,
  TopicGateway,
  type RealtimeConnection,
  type RealtimeLimits,
} from 'nestjs-realtime';
import { Clock } from 'nestjs-realtime/ports';
import { concat, NEVER, of } from 'rxjs';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { JsonCodec } from '../../../lib/codecs/json/json-codec.js';
import { ClientAllowance } from '../../../lib/core/protocol/client-allowance.js';
import { REFUSAL_RATE } from '../../../lib/core/protocol/refusal-rate.js';
import { SocketEndpoint } from '../../../lib/gateway/session/socket-endpoint.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import type { RawGuest } from '../../helpers/raw-guest.js';
import { commandFrame, rawFrame } from '../../helpers/raw-frames.js';
import { NO_HARM, Scene } from '../../helpers/scene.js';

/** The commands that were carried out, by bad client. */
let handled: number[];

@TopicGateway('desk:{n}')
class DeskTopic {
  @OnSubscribe()
  join() {
    return true;
  }

  @OnMessage('watch')
  watch() {
    return concat(of(0), NEVER);
  }

  @OnMessage('count', { requireSubscription: false })
  count(@MessageBody() n: number, @CurrentConnection() { userId }: RealtimeConnection) {
    if (userId.startsWith('bad')) handled.push(n);
    return n;
  }
}

beforeEach(() => {
  handled = [];
});

async function stage(limits: RealtimeLimits = {}) {
  const clock = new ManualClock();
  const scene = await Scene.set({
    providers: [DeskTopic],
    options: { limits },
    ports: [{ provide: Clock, useValue: clock }],
  });
  return { scene, clock, guest: await scene.raw() };
}

const command = (n: number) => commandFrame({ action: 'message', topic: 'desk:1', type: 'count', id: n, payload: n });
const commands = (from: number, to: number) =>
  Buffer.concat(Array.from({ length: to - from + 1 }, (_, n) => command(from + n)));
const ids = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n);

/** Sends a wrong frame so many times, and waits for the answers. */
async function err(guest: RawGuest, times: number, frame = rawFrame({ payload: 'hello' })): Promise<void> {
  const before = errors(guest).length;
  await guest.write(Buffer.concat(Array.from({ length: times }, () => frame)));
  await guest.client.until(() => errors(guest).length >= before + times || undefined, `${times} errors`);
}

const errors = (guest: RawGuest) => guest.said.filter(({ type }) => type === 'realtime:error');

describe('more commands at once than commandBurst', () => {
  it('are answered with RATE_LIMITED, and when to try again', async () => {
    const { guest } = await stage();
    await guest.write(commands(1, 101));
    expect(await guest.answer(101)).toMatchObject({
      type: 'realtime:error',
      payload: { code: 'RATE_LIMITED', retryable: true, retryAfterMs: 50 },
    });
  });

  it('are not carried out', async () => {
    const { scene, guest } = await stage();
    await scene.during(async () => {
      await guest.write(commands(1, 110));
      await guest.answer(110);
    });
    expect([handled, await scene.harm()]).toEqual([ids(1, 100), NO_HARM]);
  });

  it('are carried out when they come again after retryAfterMs', async () => {
    const { clock, guest } = await stage();
    await guest.write(commands(1, 101));
    const { payload } = await guest.answer(101);
    clock.advance(payload.retryAfterMs);
    await guest.write(command(102));
    expect(await guest.answer(102)).toMatchObject({ type: 'realtime:reply', payload: 102 });
  });

  it('are answered with RATE_LIMITED a millisecond earlier', async () => {
    const { clock, guest } = await stage();
    await guest.write(commands(1, 101));
    const { payload } = await guest.answer(101);
    clock.advance(payload.retryAfterMs - 1);
    await guest.write(command(102));
    // The next token is for the one that was refused first.
    expect(await guest.answer(102)).toMatchObject({ payload: { code: 'RATE_LIMITED', retryAfterMs: 51 } });
  });

  it('leave room for as many when the client was silent for long enough', async () => {
    const { clock, guest } = await stage();
    await guest.write(commands(1, 100));
    await guest.answer(100);
    clock.advance(5_000);
    await guest.write(commands(101, 200));
    expect(await guest.answer(200)).toMatchObject({ type: 'realtime:reply' });
  });

  it('are told apart: each may come again after those before it', async () => {
    const { guest } = await stage();
    await guest.write(commands(1, 103));
    const answers = await Promise.all([101, 102, 103].map((id) => guest.answer(id)));
    expect(answers.map(({ payload }) => payload.retryAfterMs)).toEqual([50, 100, 150]);
  });

  it('do not close the connection, as long as the client waits as it was told', async () => {
    const { clock, guest } = await stage();
    let id = 0;
    for (let round = 0; round < 30; round++) {
      await guest.write(commands(id + 1, id + 150));
      await guest.answer((id += 150));
      clock.advance(5_000);
    }
    await guest.write(command(++id));
    expect(await guest.answer(id)).toMatchObject({ type: 'realtime:reply' });
  });

  it('do not close the connection, however many it are', async () => {
    const { scene, clock, guest } = await stage({ maxViolationsPerMinute: 1 });
    await scene.during(async () => {
      await guest.write(commands(1, 2_000));
      await guest.answer(2_000);
    });
    expect([handled, errors(guest).length]).toEqual([ids(1, 100), 1_900]);
    clock.advance(1_000);
    await guest.write(command(2_001));
    expect(await guest.answer(2_001)).toMatchObject({ type: 'realtime:reply' });
    expect(await scene.harm()).toEqual(NO_HARM);
  });

  /** Sends one command more than it may, and another one each time it was refused, as soon as it was. */
  async function goOn(guest: RawGuest, times: number): Promise<void> {
    await guest.write(commands(1, 101));
    await guest.answer(101);
    for (let id = 102; id < 102 + times; id++) {
      await guest.write(command(id));
      await guest.answer(id);
    }
  }

  it('close the connection with 3013 when they go on although they were refused', async () => {
    const { scene, guest } = await stage({ maxViolationsPerMinute: 2 });
    guest.answerPings();
    const code = await scene.during(async () => {
      // The second one may have been sent before the pong of the first refusals.
      await goOn(guest, 4);
      return guest.closeCode();
    });
    expect([code, handled.length, await scene.harm()]).toEqual([3013, 100, NO_HARM]);
  });

  it.each([
    ['maxViolationsPerMinute: Infinity', Infinity, true],
    ['a client that cannot be known to have got the refusals', 2, false],
  ])('twin: never close the connection with %s', async (_which, maxViolationsPerMinute, answersPings) => {
    const { guest } = await stage({ maxViolationsPerMinute });
    if (answersPings) guest.answerPings();
    await goOn(guest, 5);
    expect([handled.length, guest.serverSide.destroyed]).toEqual([100, false]);
  });

  it('of every kind count', async () => {
    const { guest } = await stage();
    const pings = Array.from({ length: 101 }, (_, id) => commandFrame({ action: 'ping', id }));
    await guest.write(Buffer.concat(pings));
    expect(await guest.answer(100)).toMatchObject({ payload: { code: 'RATE_LIMITED' } });
  });

  it('twin: with commandBurst: Infinity are all carried out', async () => {
    const { guest } = await stage({ commandBurst: Infinity });
    await guest.write(commands(1, 2_000));
    await guest.answer(2_000);
    expect(handled).toEqual(ids(1, 2_000));
  });

  it.each([
    ['unsubscribe', { action: 'unsubscribe', topic: 'desk:1' }, 'realtime:unsubscribed'],
    ['cancel', { action: 'cancel' }, 'realtime:complete'],
  ])('are carried out when they end something: %s', async (_action, ending, type) => {
    const { guest } = await stage();
    await guest.write(commandFrame({ action: 'subscribe', topic: 'desk:1' }));
    await guest.write(commandFrame({ action: 'message', topic: 'desk:1', type: 'watch', id: 'end' }));
    await guest.answer('end');
    await guest.write(Buffer.concat([commands(1, 110), commandFrame({ ...ending, id: 'end' })]));
    expect(await guest.hears(type)).toMatchObject({ id: 'end' });
  });
});

describe('a flood of commands', () => {
  const FLOOD = Buffer.concat(Array.from({ length: 100_000 }, () => rawFrame({ payload: '{"action":"ping"}' })));

  /** Writes 2.3 MB of pings, as fast as they are taken. @returns a count of the pings that were decoded */
  async function flood() {
    const decode = vi.spyOn(JsonCodec.prototype, 'decode');
    onTestFinished(() => decode.mockRestore());
    const { scene, guest } = await stage();
    decode.mockClear();
    guest.client.socket.write(FLOOD);
    return { scene, guest, decoded: () => decode.mock.calls.length };
  }

  /** The commands that may be carried out and those that may be refused, and some that are decoded at the ends of pauses or twice. */
  const MOST_DECODED = 100 + REFUSAL_RATE.burst + 200;

  it('leaves the connection open, and little of it is decoded or answered', async () => {
    const { scene, guest, decoded } = await flood();
    await scene.during(() => expect.poll(decoded).toBeGreaterThan(REFUSAL_RATE.burst));
    await guest.isLeftUnread();
    expect([decoded() < MOST_DECODED, errors(guest).length < MOST_DECODED, guest.serverSide.destroyed]).toEqual([
      true,
      true,
      false,
    ]);
    expect(await scene.harm()).toEqual(NO_HARM);
  });

  it('twin: is decoded and refused without end when there is no limit for refusals', async () => {
    const mayRefuse = vi.spyOn(ClientAllowance.prototype, 'mayRefuse').mockReturnValue(true);
    onTestFinished(() => mayRefuse.mockRestore());
    const { decoded } = await flood();
    await expect.poll(decoded, { timeout: 10_000 }).toBeGreaterThan(2 * MOST_DECODED);
  });

  it('is left in the socket until the next token', async () => {
    const { guest } = await stage({ commandsPerSecond: 1, maxViolationsPerMinute: Infinity });
    guest.client.socket.write(FLOOD);
    await guest.isLeftUnread();
    expect(guest.serverSide.bytesRead).toBeLessThan(256 * 1_024);
  });

  it('twin: is read and decoded to its end when reading goes on and nobody is closed', async () => {
    const pauseReading = vi.spyOn(SocketEndpoint.prototype, 'pauseReading').mockReturnValue();
    onTestFinished(() => pauseReading.mockRestore());
    const { guest } = await stage({ maxViolationsPerMinute: Infinity, sendQueueBytes: Infinity });
    guest.client.socket.write(FLOOD);
    await expect.poll(() => guest.serverSide.bytesRead, { timeout: 20_000 }).toBeGreaterThan(FLOOD.length);
  });
});

describe('a client of the right pace', () => {
  it('is never refused anything', async () => {
    const { clock, guest } = await stage();
    for (let n = 1; n <= 300; n++) {
      clock.advance(50);
      await guest.write(command(n));
      await guest.answer(n);
    }
    expect(handled).toEqual(ids(1, 300));
  });
});

/** A message that is nested too deep. */
const DEEP = rawFrame({ payload: `{"action":"ping","x":${'['.repeat(40)}${']'.repeat(40)}}` });

describe('a client that makes mistakes', () => {
  it.each([
    ['of the format', rawFrame({ payload: 'hello' })],
    ['of the kind of frame', rawFrame({ opcode: 2, payload: '{"action":"ping"}' })],
    ['of the action', commandFrame({ action: 'dance' })],
  ])('%s is closed with 3509 after 20 of them, and nothing else', async (_what, frame) => {
    const { scene, guest } = await stage();
    const code = await scene.during(async () => {
      await err(guest, 20, frame);
      await guest.write(frame);
      return guest.closeCode();
    });
    expect([code, errors(guest).length, await scene.harm()]).toEqual([3509, 21, NO_HARM]);
  });

  it('of depth is closed with 3509 after 20 that were repeated without a pause', async () => {
    const { scene, guest } = await stage();
    const code = await scene.during(async () => {
      await err(guest, 21, DEEP);
      await guest.write(DEEP);
      return guest.closeCode();
    });
    expect([code, errors(guest).length, await scene.harm()]).toEqual([3509, 22, NO_HARM]);
  });

  it('of depth is not closed when it pauses in between', async () => {
    const { clock, guest } = await stage({ maxViolationsPerMinute: 1 });
    for (let n = 0; n < 10; n++) {
      await err(guest, 1, DEEP);
      clock.advance(1_000);
    }
    await guest.write(command(1));
    expect(await guest.answer(1)).toMatchObject({ type: 'realtime:reply' });
  });

  it('is not closed for 20 of them', async () => {
    const { guest } = await stage();
    await err(guest, 20);
    await guest.write(command(1));
    expect(await guest.answer(1)).toMatchObject({ type: 'realtime:reply' });
  });

  it('is forgiven them in time', async () => {
    const { clock, guest } = await stage();
    await err(guest, 20);
    clock.advance(60_000);
    await err(guest, 20);
    await guest.write(command(1));
    expect(await guest.answer(1)).toMatchObject({ type: 'realtime:reply' });
  });

  it('twin: with maxViolationsPerMinute: Infinity makes as many as it likes', async () => {
    const { guest } = await stage({ maxViolationsPerMinute: Infinity, commandBurst: Infinity });
    await err(guest, 500);
    await guest.write(command(1));
    expect(await guest.answer(1)).toMatchObject({ type: 'realtime:reply' });
  });
});

describe('more subscriptions than maxTopicsPerConnection', () => {
  async function subscribed(limits: RealtimeLimits, count: number) {
    const { scene, guest } = await stage({ ...limits, commandBurst: Infinity });
    for (let n = 1; n <= count; n++) {
      await guest.write(commandFrame({ action: 'subscribe', id: n, topic: `desk:${n}` }));
    }
    await guest.answer(count);
    return { scene, guest };
  }

  it('are answered with LIMIT_EXCEEDED, and not made', async () => {
    const { scene, guest } = await subscribed({}, 129);
    expect(await guest.answer(129)).toMatchObject({ payload: { code: 'LIMIT_EXCEEDED', action: 'subscribe' } });
    expect([(await scene.app.realtime.counts()).subscriptions, await scene.harm()]).toEqual([128, NO_HARM]);
  });

  it('are made when others were ended', async () => {
    const { guest } = await subscribed({}, 128);
    await guest.write(commandFrame({ action: 'unsubscribe', id: 'out', topic: 'desk:1' }));
    await guest.write(commandFrame({ action: 'subscribe', id: 'in', topic: 'desk:129' }));
    expect(await guest.answer('in')).toMatchObject({ type: 'realtime:subscribed' });
  });

  it('twin: with maxTopicsPerConnection: Infinity are all made', async () => {
    const { scene } = await subscribed({ maxTopicsPerConnection: Infinity }, 1_000);
    expect(await scene.app.realtime.counts()).toMatchObject({ subscriptions: 1_000 });
  });
});
