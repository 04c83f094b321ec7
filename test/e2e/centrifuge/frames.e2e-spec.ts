import { Socket } from 'node:net';
import { testToken } from 'nestjs-realtime/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { RealtimeApp } from '../../helpers/realtime-app.js';
import { LineClient, startRooms } from './rooms.js';

const ann = testToken('ann');
const ROOM = 'room:1';

const echo = (id: number) => ({ id, rpc: { method: 'echo', data: { topic: ROOM, payload: `echo ${id}` } } });

async function inRoom(app: RealtimeApp): Promise<LineClient> {
  const client = await LineClient.to(app);
  client.send({ id: 1, connect: { token: ann } }, { id: 2, subscribe: { channel: ROOM } });
  await client.reply(1);
  await client.reply(2);
  return client;
}

/** Records frames written to sockets from now on that contain a text. */
function writesOf(text: string): readonly Buffer[] {
  const writes: Buffer[] = [];
  const { write } = Socket.prototype;
  const spy = vi.spyOn(Socket.prototype, 'write').mockImplementation(function (this: Socket, ...args: unknown[]) {
    const [bytes] = args;
    if (Buffer.isBuffer(bytes) && bytes.includes(text)) writes.push(bytes);
    return Reflect.apply(write, this, args) as boolean;
  });
  onTestFinished(() => spy.mockRestore());
  return writes;
}

describe('Commands that come in one frame', () => {
  it('are answered in their order, whatever they are', async () => {
    const client = await LineClient.to(await startRooms());
    client.send(
      { id: 1, connect: { token: ann } },
      { id: 2, subscribe: { channel: ROOM } },
      echo(3),
      { id: 4, publish: { channel: ROOM, data: { type: 'echo' } } },
      { id: 5, presence: { channel: ROOM } },
      { id: 6, unsubscribe: { channel: ROOM } },
      echo(7),
    );
    const last = await client.reply(7);
    expect([...client.client.pending, last]).toMatchObject([
      { id: 1, connect: {} },
      { id: 2, subscribe: {} },
      { id: 3, rpc: { data: 'echo 3' } },
      { id: 4, publish: {} },
      { id: 5, error: { code: 108 } },
      { id: 6, unsubscribe: {} },
      { id: 7, error: { code: 103 } },
    ]);
  });

  it('are answered each in a frame of its own, and all of these leave in one write', async () => {
    const client = await inRoom(await startRooms());
    const writes = writesOf('"echo ');
    client.send(...[3, 4, 5].map(echo));
    // The client would have rejected a line that is not JSON.
    const replies = [await client.reply(3), await client.reply(4), await client.reply(5)];
    expect(replies.map(({ rpc }) => rpc.data)).toEqual(['echo 3', 'echo 4', 'echo 5']);
    expect(writes).toHaveLength(1);
  });
});

describe('Messages that are published in one turn', () => {
  it('leave in one write for each subscriber, and in the same bytes for all that speak one protocol', async () => {
    const app = await startRooms();
    const clients = [];
    for (let n = 0; n < 3; n++) {
      const plain = await app.connectAs(`plain-${n}`);
      await plain.request({ action: 'subscribe', topic: ROOM });
      clients.push(plain, (await inRoom(app)).client);
    }
    const writes = writesOf('written');
    await Promise.all(
      ['first', 'second', 'third'].map((type) => app.realtime.publish(ROOM, { type: `written ${type}` })),
    );
    await Promise.all(clients.map((client) => client.next((frame) => JSON.stringify(frame).includes('third'))));
    expect([writes.length, new Set(writes).size]).toEqual([clients.length, 2]);
  });
});
