import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RealtimeLimits } from 'nestjs-realtime';
import { describe, expect, it } from 'vitest';
import { heldBytes } from '../../helpers/heap.js';
import type { RawGuest } from '../../helpers/raw-guest.js';
import { commandFrame, fragments, OPCODE, rawFrame } from '../../helpers/raw-frames.js';
import { NO_HARM, Scene } from '../../helpers/scene.js';

const NO_LIMIT = { maxFragments: Infinity, maxBufferedChunks: Infinity, maxMessageBytes: Infinity };
const SOCKETS = 20;
const FRAGMENTS = 16_000;
const KB = 1_024;

const stage = (limits: RealtimeLimits = {}) => Scene.set({ options: { limits } });
const singleBytes = (count: number) => Array.from({ length: count }, () => 'x');
const empty = (count: number) => Array.from({ length: count }, () => '');
/** The start of a message that never ends. */
const unfinished = (parts: string[]) => fragments(parts, { finished: false });

async function isServed(guest: RawGuest): Promise<boolean> {
  await guest.write(commandFrame({ action: 'ping', id: 'after' }));
  return (await guest.answer('after')).type === 'realtime:pong';
}

describe('a message in more fragments than may be', () => {
  it.each([
    ['of one byte each', singleBytes(65)],
    ['that are empty', empty(65)],
    ['of which only the last has something in it', [...empty(64), '{}']],
  ])('%s closes its socket with 1008, and nothing else', async (_what, parts) => {
    const scene = await stage();
    const guest = await scene.raw();
    const code = await scene.during(async () => {
      await guest.write(fragments(parts));
      return guest.closeCode();
    });
    expect([code, await scene.harm()]).toEqual([1008, NO_HARM]);
  });

  it('closes its socket although a ping stands between any two of them', async () => {
    const scene = await stage();
    const guest = await scene.raw();
    const parts = [rawFrame({ payload: 'x', fin: false })];
    for (let part = 0; part < 64; part++) {
      parts.push(
        rawFrame({ opcode: OPCODE.ping }),
        rawFrame({ opcode: OPCODE.continuation, payload: 'x', fin: false }),
      );
      // One after the other: a single piece of so many pings would be ended for the pings.
      await guest.write(Buffer.concat(parts.splice(0)));
      await nextTurn();
    }
    expect([await guest.closeCode(), await scene.harm()]).toEqual([1008, NO_HARM]);
  });
});

describe('twin: with maxFragments: Infinity', () => {
  it.each([
    ['16,000 fragments of one byte', singleBytes(FRAGMENTS)],
    ['16,000 empty fragments', empty(FRAGMENTS)],
  ])('%s leave the socket open', async (_what, parts) => {
    const scene = await stage({ maxFragments: Infinity });
    const guest = await scene.raw();
    await guest.write(fragments(parts));
    expect(await isServed(guest)).toBe(true);
  });
});

describe('a message in as many fragments as may be', () => {
  it.each([
    ['of one byte each', fragments(singleBytes(64))],
    ['that are empty', fragments(empty(64))],
  ])('%s leaves its socket open', async (_what, bytes) => {
    const scene = await stage();
    const guest = await scene.raw();
    await guest.write(bytes);
    expect(await isServed(guest)).toBe(true);
  });
});

/** Has the server read these bytes; it has once it answers a ping behind them, or has closed. */
async function readBy(guest: RawGuest, bytes: Buffer): Promise<void> {
  await guest.write(bytes);
  await guest.write(rawFrame({ opcode: OPCODE.ping }));
  await guest.client.until(() => guest.hasControlFrame || undefined, 'An answer');
}

/** How many bytes the server holds for each of the sockets that send these and then keep quiet. */
async function bytesHeldFor(bytes: Buffer, limits: RealtimeLimits): Promise<number> {
  const scene = await stage(limits);
  // The first of them has code compiled, too.
  await readBy(await scene.raw(), bytes);
  const guests: RawGuest[] = [];
  for (let count = 0; count < SOCKETS; count++) guests.push(await scene.raw());
  const before = await heldBytes();
  await scene.during(() => Promise.all(guests.map((guest) => readBy(guest, bytes))));
  const held = ((await heldBytes()) - before) / SOCKETS;
  expect(await scene.harm()).toEqual(NO_HARM);
  return held;
}

describe('the memory that is held for a client', () => {
  it('of 16,000 fragments of one byte is less than 100 KB', async () => {
    expect(await bytesHeldFor(unfinished(singleBytes(FRAGMENTS)), {})).toBeLessThan(100 * KB);
  });

  it('of 64 fragments of a message that is not finished is less than 100 KB', async () => {
    expect(await bytesHeldFor(unfinished(singleBytes(64)), {})).toBeLessThan(100 * KB);
  });

  it('of as big a message as may be, but for its end, is less than 100 KB', async () => {
    const parts = Array.from({ length: 64 }, () => 'x'.repeat(KB));
    expect(await bytesHeldFor(unfinished(parts), {})).toBeLessThan(100 * KB);
  });
});

describe('twin: without limits, the memory that is held for a client', () => {
  it('of 16,000 fragments of one byte is more than 1,000 KB', async () => {
    expect(await bytesHeldFor(unfinished(singleBytes(FRAGMENTS)), NO_LIMIT)).toBeGreaterThan(1_000 * KB);
  });

  it('of a message without an end is as much as it has sent', async () => {
    const parts = Array.from({ length: 64 }, () => 'x'.repeat(16 * KB));
    expect(await bytesHeldFor(unfinished(parts), NO_LIMIT)).toBeGreaterThan(1_000 * KB);
  });
});

describe('a frame that arrives byte by byte', () => {
  /** Sends 1,500 bytes of a message one by one, each in a packet of its own, for as long as the server reads. */
  async function drip(guest: RawGuest): Promise<void> {
    const bytes = rawFrame({ payload: ' '.repeat(1_498) + '{}' });
    guest.client.socket.setNoDelay();
    for (const byte of bytes) {
      if (guest.hasControlFrame) return;
      const before = guest.serverSide.bytesRead;
      await guest.write(Buffer.from([byte]));
      while (guest.serverSide.bytesRead === before && !guest.serverSide.destroyed) await nextTurn();
    }
  }

  it('closes its socket with 1008 at maxBufferedChunks, and nothing else', async () => {
    const scene = await stage();
    const guest = await scene.raw();
    await scene.during(() => drip(guest));
    expect([await guest.closeCode(), await scene.harm()]).toEqual([1008, NO_HARM]);
  });

  it('twin: with maxBufferedChunks: Infinity it leaves its socket open', async () => {
    const scene = await stage({ maxBufferedChunks: Infinity });
    const guest = await scene.raw();
    await drip(guest);
    expect(await isServed(guest)).toBe(true);
  });
});
