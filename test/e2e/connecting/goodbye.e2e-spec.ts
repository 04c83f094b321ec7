import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { commandFrame, OPCODE, rawFrame, serverFrames } from '../../helpers/raw-frames.js';
import { Scene } from '../../helpers/scene.js';

const GOODBYE = rawFrame({ opcode: OPCODE.close, payload: Buffer.from([0x03, 0xe8]) });

/** Returns the opcodes that a client receives from its welcome on, in order. */
const opcodesIn = (received: string) => serverFrames(received).map(({ opcode }) => opcode);

describe('a client that says goodbye', () => {
  it('has the answers to what it said before, and then the goodbye of the server', async () => {
    const scene = await Scene.set();
    const { client } = await scene.raw();
    await client.write(Buffer.concat([commandFrame({ action: 'ping', id: 'last' }), GOODBYE]));
    expect(opcodesIn(await client.closed())).toEqual([OPCODE.text, OPCODE.text, OPCODE.close]);
  });

  it('while much still waits for it hears nothing behind the goodbye of the server', async () => {
    const scene = await Scene.set({ options: { limits: { sendQueueBytes: Infinity } } });
    const { client, serverSide, userId } = await scene.raw();
    client.socket.pause();
    const chunk = { type: 'flood', payload: 'x'.repeat(65_536) };
    while (serverSide.writableLength < 200_000) await scene.app.realtime.sendToUser(userId, chunk);
    const before = serverSide.bytesRead;
    await client.write(GOODBYE);
    while (serverSide.bytesRead === before) await nextTurn();
    for (let sent = 0; sent < 3; sent++) await scene.app.realtime.sendToUser(userId, { type: 'late', payload: sent });
    client.socket.resume();
    const opcodes = opcodesIn(await client.closed());
    expect(opcodes.indexOf(OPCODE.close)).toBe(opcodes.length - 1);
  });

  it('in a way that is none has the answers to what it said before', async () => {
    const scene = await Scene.set();
    const { client } = await scene.raw();
    const broken = rawFrame({ rsv: 7 });
    await client.write(Buffer.concat([commandFrame({ action: 'ping', id: 'last' }), broken]));
    expect(opcodesIn(await client.closed())).toEqual([OPCODE.text, OPCODE.text, OPCODE.close]);
  });
});
