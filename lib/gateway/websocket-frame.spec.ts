import fc from 'fast-check';
import type { Writable } from 'node:stream';
import * as ws from 'ws';
import { describe, expect, it } from 'vitest';
import { textFrame } from './websocket-frame.js';

/** The reading half of `ws`, missing from its types. */
const { Receiver } = ws as unknown as { Receiver: new (options: { isServer: boolean }) => Writable };

/** Reads bytes as a client does. */
function readAsClient(bytes: Buffer): Promise<{ text: string; isBinary: boolean }> {
  return new Promise((resolve, reject) => {
    const receiver = new Receiver({ isServer: false });
    receiver.on('message', (data: Buffer, isBinary: boolean) => resolve({ text: data.toString(), isBinary }));
    receiver.on('error', reject);
    receiver.write(bytes);
  });
}

describe('a text frame', () => {
  it.each([0, 1, 125, 126, 127, 65_535, 65_536, 200_000])('of %i bytes is read by a client as it was', async (size) => {
    const text = 'x'.repeat(size);
    expect(await readAsClient(textFrame(text))).toEqual({ text, isBinary: false });
  });

  it('carries any text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), async (text) => {
        expect((await readAsClient(textFrame(text))).text).toBe(text);
      }),
    );
  });

  it('is whole, uncompressed and not masked', () => {
    const [first, second] = textFrame('hello');
    expect([first, second]).toEqual([0b1000_0001, 5]);
  });

  it('has its length in bytes, not in characters', () => {
    expect(textFrame('ü')[1]).toBe(2);
  });
});
