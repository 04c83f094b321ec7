import fc from 'fast-check';
import type { Writable } from 'node:stream';
import * as ws from 'ws';
import { describe, expect, it } from 'vitest';
import { compressedFrame, messageFrame } from './websocket-frame.js';

/** The reading half of `ws`, and what inflates for it, missing from its types. */
const { Receiver, PerMessageDeflate } = ws as unknown as {
  Receiver: new (options: { isServer: boolean; extensions: object }) => Writable;
  PerMessageDeflate: new (options: object) => { accept(params: object[]): void };
};

/** Reads bytes as a client does that has agreed to compression without a memory of earlier messages. */
function readAsClient(bytes: Buffer): Promise<{ text: string; isBinary: boolean }> {
  return new Promise((resolve, reject) => {
    const deflate = new PerMessageDeflate({});
    deflate.accept([{ server_no_context_takeover: [true] }]);
    const receiver = new Receiver({ isServer: false, extensions: { 'permessage-deflate': deflate } });
    receiver.on('message', (data: Buffer, isBinary: boolean) => resolve({ text: data.toString(), isBinary }));
    receiver.on('error', reject);
    receiver.write(bytes);
  });
}

describe('a text frame', () => {
  it.each([0, 1, 125, 126, 127, 65_535, 65_536, 200_000])('of %i bytes is read by a client as it was', async (size) => {
    const text = 'x'.repeat(size);
    expect(await readAsClient(messageFrame(text))).toEqual({ text, isBinary: false });
  });

  it('carries any text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), async (text) => {
        expect((await readAsClient(messageFrame(text))).text).toBe(text);
      }),
    );
  });

  it('is whole, uncompressed and not masked', () => {
    const [first, second] = messageFrame('hello');
    expect([first, second]).toEqual([0b1000_0001, 5]);
  });

  it('has its length in bytes, not in characters', () => {
    expect(messageFrame('ü')[1]).toBe(2);
  });
});

describe('a frame of bytes', () => {
  it.each([0, 125, 126, 65_536])('of %i bytes is read by a client as a binary message', async (size) => {
    const bytes = Buffer.alloc(size, 'x');
    expect(await readAsClient(messageFrame(bytes))).toEqual({ text: 'x'.repeat(size), isBinary: true });
    expect(await readAsClient(compressedFrame(bytes))).toEqual({ text: 'x'.repeat(size), isBinary: true });
  });
});

describe('a compressed text frame', () => {
  it('carries any text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 300 }), async (text) => {
        expect(await readAsClient(compressedFrame(text))).toEqual({ text, isBinary: false });
      }),
    );
  });

  it.each([1, 2_000, 70_000])('of %i bytes is read by a client as it was', async (size) => {
    const text = Array.from({ length: size }, (_, i) => String.fromCharCode(97 + ((i * i) % 23))).join('');
    expect(await readAsClient(compressedFrame(text))).toEqual({ text, isBinary: false });
  });

  it('is smaller than the text, when that repeats itself', () => {
    expect(compressedFrame('again '.repeat(1_000)).length).toBeLessThan(200);
  });

  it('says that it is compressed', () => {
    expect(compressedFrame('hello')[0]).toBe(0b1100_0001);
  });
});
