import { MessageBody, OnMessage, OnSubscribe, TopicGateway, type RealtimeOptions } from 'nestjs-realtime';
import { Clock } from 'nestjs-realtime/ports';
import { testToken, type TestClient } from 'nestjs-realtime/testing';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { RealtimeSettings } from '../../../lib/options/realtime.options.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { startRealtimeApp, type RealtimeApp } from '../../helpers/realtime-app.js';
import { connected, sdkFor } from '../../helpers/sdk.js';

/** A pointer that is told 60 times a second. */
@TopicGateway('cursor:{id}', { limits: { commandsPerSecond: 60, commandBurst: 12, maxMessageBytes: 200 } })
class Cursors {
  @OnMessage('move', { requireSubscription: false }) move(@MessageBody() at: unknown) {
    return at;
  }
}

@TopicGateway('file:{id}', { limits: { maxMessageBytes: 5_000 } })
class Files {
  @OnMessage('upload', { requireSubscription: false }) upload(@MessageBody() text: string) {
    return text.length;
  }
}

@TopicGateway('chat:{id}')
class Chats {
  @OnSubscribe() join() {
    return true;
  }

  @OnMessage('say', { requireSubscription: false }) say(@MessageBody() text: string) {
    return text.length;
  }
}

const PER_STEP = 6;
const STEPS = 40;
/** The step of the clock, in milliseconds: 60 moves a second. */
const STEP_MS = 100;

/** An application with the limits that the package has by itself, and a clock that stands still. */
async function start(
  options: RealtimeOptions = {},
): Promise<{ readonly app: RealtimeApp; readonly clock: ManualClock }> {
  const clock = new ManualClock();
  const limits = { ...new RealtimeSettings({}).limits, maxMessageBytes: 1_000, ...options.limits };
  const app = await startRealtimeApp({
    providers: [Cursors, Files, Chats],
    options: { ...options, limits },
    ports: [{ provide: Clock, useValue: clock }],
  });
  return { app, clock };
}

/** Sends so many messages at once. @returns the type of each answer, or the code of its error */
async function answers(client: TestClient, count: number, message: object): Promise<string[]> {
  const codes: string[] = [];
  for (let id = 0; id < count; id++) client.send({ action: 'message', id, ...message });
  for (let id = 0; id < count; id++) {
    const { type, payload } = await client.next((frame) => frame.id === id);
    codes.push(type === 'realtime:error' ? payload.code : type);
  }
  return codes;
}

const MOVE = { topic: 'cursor:1', type: 'move', payload: { x: 1, y: 2 } };
const SAY = { topic: 'chat:1', type: 'say', payload: 'hi' };

describe('a gateway with a rate limit of its own', () => {
  it('carries out 60 messages a second of a client for four seconds', async () => {
    const { app, clock } = await start();
    const client = await app.connectAs('ann');
    const codes = new Set<string>();
    for (let step = 0; step < STEPS; step++) {
      for (const code of await answers(client, PER_STEP, MOVE)) codes.add(code);
      clock.advance(STEP_MS);
    }
    expect([...codes]).toEqual(['realtime:reply']);
  });

  it('twin: a gateway without one refuses as many', async () => {
    const { app, clock } = await start();
    const client = await app.connectAs('ann');
    const codes = new Set<string>();
    for (let step = 0; step < STEPS && codes.size < 2; step++) {
      for (const code of await answers(client, PER_STEP, SAY)) codes.add(code);
      clock.advance(STEP_MS);
    }
    expect([...codes]).toEqual(['realtime:reply', 'RATE_LIMITED']);
  });

  it('carries out 60 messages a second of an SDK, one by one and batched', async () => {
    const { app, clock } = await start({ centrifuge: true });
    const client = await connected(sdkFor(app, { token: testToken('ann') }));
    const states: string[] = [];
    client.on('connecting', () => void states.push('connecting'));
    for (let step = 0; step < STEPS; step++) {
      if (step % 2 === 1) client.startBatching();
      const moves = Array.from({ length: PER_STEP }, (_, n) => client.rpc('move', { topic: 'cursor:1', payload: n }));
      if (step % 2 === 1) client.stopBatching();
      expect(await Promise.all(moves)).toEqual(moves.map((_, n) => ({ data: n })));
      clock.advance(STEP_MS);
    }
    expect(states).toEqual([]);
  });

  it('refuses what exceeds it, says when to try again, and leaves the other topics what they have', async () => {
    const { app, clock } = await start();
    const client = await app.connectAs('ann');
    const moves = await answers(client, 13, MOVE);
    expect([moves.filter((code) => code === 'realtime:reply').length, moves.at(-1)]).toEqual([12, 'RATE_LIMITED']);
    expect(new Set(await answers(client, 100, SAY))).toEqual(new Set(['realtime:reply']));
    clock.advance(17);
    expect(await answers(client, 1, MOVE)).toEqual(['realtime:reply']);
  });

  it('is not refilled by connecting again', async () => {
    const { app } = await start({ limits: { maxConnectionsPerUser: 1, acceptsPerSecond: Infinity } });
    const first = await app.connectAs('ann');
    await answers(first, 12, MOVE);
    first.socket.close();
    await first.nextClose();
    const second = await app.connectAs('ann');
    expect(await answers(second, 1, MOVE)).toEqual(['RATE_LIMITED']);
  });
});

describe('a gateway with a size limit of its own', () => {
  const file = (length: number) => ({ topic: 'file:1', type: 'upload', payload: 'x'.repeat(length) });
  const said = (length: number) => ({ topic: 'chat:1', type: 'say', payload: 'x'.repeat(length) });
  const moved = (length: number) => ({ topic: 'cursor:1', type: 'move', payload: 'x'.repeat(length) });

  it.each([
    ['takes what it allows', file(4_900), 'realtime:reply'],
    ['refuses what is above it, though others take it', moved(200), 'LIMIT_EXCEEDED'],
    ['leaves the limit of the module for the other topics', said(2_000), 'LIMIT_EXCEEDED'],
    ['lets other topics have what the module allows', said(900), 'realtime:reply'],
  ])('%s', async (_effect, message, code) => {
    const { app } = await start();
    const client = await app.connectAs('ann');
    expect([await answers(client, 1, message), await answers(client, 1, SAY)]).toEqual([[code], ['realtime:reply']]);
  });

  it('lets an SDK send as much, and refuses more with 106', async () => {
    const { app } = await start({ centrifuge: true });
    const client = await connected(sdkFor(app, { token: testToken('ann') }));
    expect(await client.rpc('upload', { topic: 'file:1', payload: 'x'.repeat(4_800) })).toEqual({ data: 4_800 });
    await expect(client.rpc('move', { topic: 'cursor:1', payload: 'x'.repeat(200) })).rejects.toMatchObject({
      code: 106,
    });
  });

  it('closes the connection for a frame above the largest', async () => {
    const { app } = await start();
    const client = await app.connectAs('ann');
    client.send({ action: 'message', id: 1, ...file(5_000) });
    expect(await client.nextClose()).toMatchObject({ code: 1009 });
  });

  it('gives nothing to a client that has not authenticated yet', async () => {
    const { app } = await start({ token: { firstCommand: true } });
    const client = await app.connect({});
    client.send({ action: 'auth', token: 'x'.repeat(2_000) });
    expect(await client.nextClose()).toMatchObject({ code: 1009 });
  });

  it('holds for what compressed messages become', async () => {
    const { app } = await start({ compression: true });
    const url = `${app.url.replace('http', 'ws')}/ws?token=${testToken('ann')}`;
    const client = new WebSocket(url, { perMessageDeflate: { threshold: 0 } });
    const answered = new Promise<boolean>((resolve) =>
      client.on('message', (data: Buffer) => data.includes('realtime:reply') && resolve(true)),
    );
    const closed = once(client, 'close');
    await once(client, 'open');
    client.send(JSON.stringify({ action: 'message', id: 1, ...file(4_900) }));
    expect(await answered).toBe(true);
    client.send(JSON.stringify({ action: 'message', id: 2, ...file(50_000) }));
    expect((await closed)[0]).toBe(1009);
  });
});
