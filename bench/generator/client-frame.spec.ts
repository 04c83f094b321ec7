import { describe, expect, it } from 'vitest';
import { Receiver } from '../servers/ws-parts.js';
import { age, clientFrame, eachStamp, stamp, StampedFrame, StampReader } from './client-frame.js';

/** The payload of a frame, as a server reads it. */
async function readByServer(frame: Buffer): Promise<string> {
  const receiver = new Receiver({ isServer: true });
  const message = new Promise<string>((resolve, reject) => {
    receiver.on('message', (data: Buffer) => resolve(data.toString())).on('error', reject);
  });
  receiver.write(frame);
  return message;
}

describe('a frame of the generator', () => {
  it.each([0, 1, 125, 126, 5_000, 65_535])('with %i bytes is what a server reads', async (length) => {
    expect(await readByServer(clientFrame('x'.repeat(length)))).toBe('x'.repeat(length));
  });

  it('carries the time it is sent at', async () => {
    const frame = new StampedFrame('{"ts":{ts},"text":"x"}');
    frame.at(5);
    const payload = Buffer.from(await readByServer(frame.at(1_234.567)));
    const stamped = new StampReader().read(payload, 0, payload.length)!;
    expect(stamped).toBe(stamp(1_234.567));
    expect(age(stamped, 1_236.567)).toBeCloseTo(2_000, 0);
  });
});

describe('a reader of stamps', () => {
  const text = (indent: number) => Buffer.from(`${' '.repeat(indent)}{"ts":1000000000000042}`);

  it('finds them where they stood before, and elsewhere', () => {
    const reader = new StampReader();
    for (const indent of [0, 0, 7, 3]) {
      const buffer = text(indent);
      expect(reader.read(buffer, 0, buffer.length)).toBe(1_000_000_000_000_042);
    }
  });

  it('finds none outside of the message', () => {
    const buffer = text(20);
    expect(new StampReader().read(buffer, 0, 20)).toBeUndefined();
    expect(new StampReader().read(Buffer.from('{}'), 0, 2)).toBeUndefined();
  });
});

describe('the stamps of a frame', () => {
  it('are those of all items that were joined in it, and of no other frame', () => {
    const items = Buffer.from('{"items":[{"seq":0,"ts":1,"text":"x"},{"ts":22},{"its":5}]}{"ts":3}');
    const stamps: number[] = [];
    expect(eachStamp(items, 1, items.length - '{"ts":3}'.length, (stamped) => stamps.push(stamped))).toBe(2);
    expect(stamps).toEqual([1, 22]);
  });
});
