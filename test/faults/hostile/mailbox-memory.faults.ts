import type { Provider } from '@nestjs/common';
import { JwtVerifier, MessageBody, OnMessage, TopicGateway, type RealtimeLimits } from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import { concat, NEVER, of } from 'rxjs';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { DeferredFrames } from '../../../lib/gateway/session/deferred-frames.js';
import { SessionServices } from '../../../lib/gateway/session/session-services.js';
import { heldBytes } from '../../helpers/heap.js';
import type { RawGuest } from '../../helpers/raw-guest.js';
import * as protobuf from '../../helpers/protobuf-lines.js';
import { commandFrame, OPCODE, rawFrame } from '../../helpers/raw-frames.js';
import { NO_HARM, Scene } from '../../helpers/scene.js';
import { GatedVerifier } from '../../helpers/slow-verifier.js';

let open: () => void;
let gate: Promise<void>;
let handled: number[];

@TopicGateway('desk')
class DeskTopic {
  @OnMessage('wait', { requireSubscription: false })
  async wait(@MessageBody('n') n: number) {
    await gate;
    handled.push(n);
  }

  @OnMessage('stream', { requireSubscription: false })
  stream() {
    return concat(of('begun'), NEVER);
  }
}

beforeEach(() => {
  handled = [];
  gate = new Promise((resolve) => (open = resolve));
});

const KB = 1_024;
const MB = 1_024 * KB;
const COMMANDS = 64;

/** As much heap for as few bytes as the other limits allow: a byte of text becomes twenty. */
const PAYLOADS: Readonly<Record<string, (n: number) => object>> = {
  'empty objects': (n) => ({ n, rows: Array.from({ length: 9 }, () => Array.from({ length: 1_000 }, () => ({}))) }),
  'objects with numbers as keys': (n) => ({
    n,
    rows: Array.from({ length: 4 }, () => Array.from({ length: 1_000 }, (_, key) => ({ [1_000 + key]: 0 }))),
  }),
};

const commandsOf = (payload: (n: number) => object) =>
  Array.from({ length: COMMANDS }, (_, n) => ({ action: 'message', topic: 'desk', type: 'wait', payload: payload(n) }));

async function stage(limits: RealtimeLimits = {}, ports: Provider[] = []): Promise<Scene> {
  const rates = { commandBurst: Infinity, commandsPerSecond: Infinity };
  const scene = await Scene.set({
    providers: [DeskTopic],
    ports,
    options: { centrifuge: true, limits: { ...rates, ...limits } },
  });
  // Commands that were read are waited for when the application ends.
  onTestFinished(open);
  return scene;
}

const waitingBytes = (scene: Scene) => scene.app.app.get(SessionServices).mailboxes.total;

/** Sends all commands behind one that is being handled, and waits until the server reads no more. @returns how much more is held */
async function fill(scene: Scene, guest: RawGuest, commands: readonly object[]): Promise<number> {
  const before = await heldBytes();
  for (const command of commands) guest.client.socket.write(commandFrame(command));
  await scene.during(() => guest.isLeftUnread());
  return (await heldBytes()) - before;
}

describe.each(Object.entries(PAYLOADS))('64 commands with %s that wait for a handler', (_, payload) => {
  const commands = commandsOf(payload);

  it('take a bounded amount of heap, and are all handled in the end', async () => {
    const scene = await stage();
    const guest = await scene.raw();
    expect(await fill(scene, guest, commands)).toBeLessThan(4 * MB);
    open();
    await expect.poll(() => handled, { timeout: 20_000 }).toEqual(commands.map((__, n) => n));
    expect([waitingBytes(scene), await scene.harm()]).toEqual([0, NO_HARM]);
  });

  it('twin: with mailboxBytes: Infinity take ten times as much', async () => {
    const scene = await stage({ mailboxBytes: Infinity, totalMailboxBytes: Infinity });
    expect(await fill(scene, await scene.raw(), commands)).toBeGreaterThan(10 * MB);
  });
});

describe('64 messages with empty objects whose streams never end', () => {
  const commands = commandsOf(PAYLOADS['empty objects']!).map((command, id) => ({ ...command, type: 'stream', id }));

  it('hold little more heap than one, and the others are refused', async () => {
    const scene = await stage();
    const guest = await scene.raw();
    expect(await fill(scene, guest, commands)).toBeLessThan(4 * MB);
    const codes = (await Promise.all(commands.map(({ id }) => guest.answer(id)))).map(({ payload }) => payload.code);
    expect(codes).toEqual(commands.map(({ id }) => (id === 0 ? undefined : 'LIMIT_EXCEEDED')));
  });

  it('twin: with mailboxBytes: Infinity hold ten times as much', async () => {
    const scene = await stage({ mailboxBytes: Infinity, totalMailboxBytes: Infinity });
    const guest = await scene.raw();
    const held = await fill(scene, guest, commands);
    expect([(await guest.answer(63)).payload, held > 10 * MB]).toEqual(['begun', true]);
  });
});

/** Commands in one frame of the Centrifuge protocol. */
const frameOf = (...commands: readonly object[]) =>
  rawFrame({ payload: commands.map((command) => JSON.stringify(command)).join('\n') });

describe('a frame of the Centrifuge protocol with 200 commands', () => {
  const data = { topic: 'desk', payload: { n: 0, rows: Array.from({ length: 80 }, () => ({})) } };
  const connect = { id: 1, connect: { token: testToken('bad') } };
  const frame = frameOf(
    connect,
    ...Array.from({ length: 200 }, (_, n) => ({ id: n + 2, rpc: { method: 'wait', data } })),
  );

  async function send(limits: RealtimeLimits = {}): Promise<{ readonly scene: Scene; readonly guest: RawGuest }> {
    const scene = await stage(limits);
    const guest = await scene.raw({ token: false, path: '/ws/connection/websocket' });
    await guest.write(frame);
    await guest.answer(1);
    await expect.poll(() => waitingBytes(scene)).toBeGreaterThan(200 * KB);
    return { scene, guest };
  }

  it('is decoded only as far as there is room, and answered to the end when there is', async () => {
    const { scene, guest } = await send();
    // What one connection may have waiting, the frame, and one command more.
    expect(waitingBytes(scene)).toBeLessThan(256 * KB + 2 * frame.length + 16 * KB);
    open();
    expect([await guest.answer(201), waitingBytes(scene), await scene.harm()]).toEqual([
      { id: 201, rpc: {} },
      0,
      NO_HARM,
    ]);
  });

  it('twin: without a bound is decoded at once', async () => {
    const { scene } = await send({ mailboxBytes: Infinity, mailboxSize: Infinity });
    await expect.poll(() => waitingBytes(scene)).toBeGreaterThan(MB);
  });
});

describe('frames of many commands in Protobuf', () => {
  const binary = (...commands: readonly object[]) =>
    rawFrame({ opcode: OPCODE.binary, payload: protobuf.commandFrame(...commands) });

  it('take no more memory while they wait than is counted', async () => {
    const scene = await stage({ mailboxBytes: KB, maxMessageBytes: MB });
    const guests = await Promise.all(
      Array.from({ length: 16 }, () =>
        scene.raw({ token: false, path: '/ws/connection/websocket?cf_protocol=protobuf' }),
      ),
    );
    for (const guest of guests) await guest.write(binary({ id: 1, connect: { token: testToken('bad') } }));
    await Promise.all(guests.map((guest) => guest.receives(OPCODE.binary)));
    const data = { topic: 'desk', payload: { n: 0, text: 'x'.repeat(9 * KB) } };
    const flood = binary(...Array.from({ length: 60 }, (_, n) => ({ id: n + 2, rpc: { method: 'wait', data } })));
    const send = async (to: readonly RawGuest[]) => {
      const counted = waitingBytes(scene);
      for (const guest of to) await guest.write(flood);
      await expect.poll(() => waitingBytes(scene)).toBeGreaterThan(counted + to.length * 500 * KB);
    };
    // The first ones take memory for code, too.
    await send(guests.slice(0, 4));
    const [before, counted] = [await heldBytes(), waitingBytes(scene)];
    await send(guests.slice(4));
    const held = (await heldBytes()) - before;
    expect(held).toBeLessThan(1.4 * (waitingBytes(scene) - counted));
    open();
    await expect.poll(() => handled.length, { timeout: 20_000 }).toBe(60 * guests.length);
    expect([waitingBytes(scene), await scene.harm()]).toEqual([0, NO_HARM]);
  });
});

describe('frames that come while the token is being verified', () => {
  const connect = { id: 1, connect: { token: testToken('bad') } };
  const FLOOD = Buffer.concat([
    frameOf(connect),
    ...Array.from({ length: 4 }, (_, n) => frameOf({ id: n + 2, send: { data: PAYLOADS['empty objects']!(n) } })),
  ]);

  async function flood() {
    const judge = new GatedVerifier();
    const scene = await stage({}, [{ provide: JwtVerifier, useValue: judge }]);
    judge.hold();
    onTestFinished(() => judge.release());
    const guest = await scene.raw({ token: false, path: '/ws/connection/websocket' });
    const before = await heldBytes();
    await guest.write(FLOOD);
    await judge.isAskedAbout(1);
    await guest.isLeftUnread();
    return { judge, scene, guest, held: (await heldBytes()) - before };
  }

  it('count as waiting, and wait undecoded', async () => {
    const { judge, scene, guest, held } = await flood();
    expect(waitingBytes(scene)).toBeGreaterThan(1);
    expect(held).toBeLessThan(MB);
    await guest.client.reset();
    judge.release();
    await expect.poll(() => waitingBytes(scene)).toBe(0);
  });

  it('twin: take many times their size when they are decoded as they arrive', async () => {
    const { push } = DeferredFrames.prototype;
    const kept: unknown[] = [];
    const spy = vi.spyOn(DeferredFrames.prototype, 'push').mockImplementation(function (this: DeferredFrames, payload) {
      kept.push(JSON.parse(String(payload)));
      push.call(this, payload);
    });
    onTestFinished(() => spy.mockRestore());
    const { held } = await flood();
    expect(kept.length).toBeGreaterThan(0);
    // Each has 27 KB of text.
    expect(held).toBeGreaterThan(400 * KB * kept.length);
  });
});

describe('many clients whose commands wait', () => {
  const commands = commandsOf(PAYLOADS['empty objects']!);

  it('are not read when all of them hold too much, and those with the most are closed', async () => {
    const scene = await stage({ totalMailboxBytes: 4 * MB });
    const guests = await Promise.all(Array.from({ length: 8 }, () => scene.raw()));
    const before = await heldBytes();
    for (const guest of guests) for (const each of commands) guest.client.socket.write(commandFrame(each));
    const codes = guests.map((guest) => guest.closeCode());
    expect(await Promise.race(codes)).toBe(3013);
    await scene.during(() => Promise.all(guests.map((guest) => guest.isLeftUnread())));
    expect(waitingBytes(scene)).toBeLessThanOrEqual(4 * MB);
    expect((await heldBytes()) - before).toBeLessThan(16 * MB);
    open();
    expect(await scene.harm()).toEqual(NO_HARM);
  });

  it('twin: with totalMailboxBytes: Infinity all stay', async () => {
    const scene = await stage({ totalMailboxBytes: Infinity });
    const guests = await Promise.all(Array.from({ length: 8 }, () => scene.raw()));
    for (const guest of guests) for (const each of commands) guest.client.socket.write(commandFrame(each));
    await Promise.all(guests.map((guest) => guest.isLeftUnread()));
    expect([waitingBytes(scene) > 4 * MB, scene.sessions]).toEqual([true, 9]);
  });
});
