import { describe, expect, it } from 'vitest';
import { heldBytes } from '../../../test/helpers/heap.js';
import { commandFrame } from '../../../test/helpers/protobuf-lines.js';
import { CentrifugeCodec } from '../../codecs/centrifuge/centrifuge-codec.js';
import { CentrifugeProtobufCodec } from '../../codecs/centrifuge/centrifuge-protobuf-codec.js';
import type { Codec } from '../../ports/codec.js';
import type { FramePayload } from '../../ports/frame.js';
import { begun, DeferredFrames, type BegunFrame, type WholeFrame } from './deferred-frames.js';

const shape = { maxDepth: 32, maxKeys: 1_000, maxValues: 10_000 };

/** A frame of several commands whose first one was read. */
function begin(codec: Codec, payload: FramePayload): BegunFrame {
  const decoded = codec.decode(payload);
  if (!('batch' in decoded)) throw new Error('One command alone');
  const commands = decoded.batch[Symbol.iterator]();
  commands.next();
  return begun(payload, commands);
}

const payloadOf = (frame: WholeFrame | BegunFrame | undefined) => (frame as WholeFrame | undefined)?.payload;

describe('frames that wait to be decoded', () => {
  it('are given out in the order of their arrival', () => {
    const frames = new DeferredFrames();
    for (const payload of ['a', undefined, 'b']) frames.push(payload);
    expect([1, 2, 3, 4].map(() => payloadOf(frames.shift()))).toEqual(['a', undefined, 'b', undefined]);
  });

  it('keep the command that was decoded already, and count its memory', () => {
    const decoded = { ok: true, command: { action: 'unsubscribe', topic: 'chat:1' } } as const;
    const [frames, undecoded] = [new DeferredFrames(), new DeferredFrames()];
    frames.push('a', decoded);
    undecoded.push('a');
    expect(frames.bytes).toBe(2 * undecoded.bytes);
    expect((frames.shift() as WholeFrame).decoded).toBe(decoded);
  });

  it('come after the rest of a frame that was begun', () => {
    const frames = new DeferredFrames();
    const commands = [][Symbol.iterator]();
    frames.push('b');
    frames.putBack(begun('a', commands));
    expect([frames.shift()?.commands, payloadOf(frames.shift())]).toEqual([commands, 'b']);
  });

  it('keep nothing of the chunk that their bytes came in', () => {
    const chunk = Buffer.alloc(65_536, 7);
    const frames = new DeferredFrames();
    frames.push(chunk.subarray(10, 20));
    chunk.fill(0);
    const payload = payloadOf(frames.shift());
    expect([payload, (payload as Buffer).buffer.byteLength]).toEqual([Buffer.alloc(10, 7), 10]);
  });
});

const text = (length: number) => Buffer.from('x'.repeat(length)).toString();
const wide = (length: number) => Buffer.from('\u0448'.repeat(length)).toString();
/** Two commands in one frame of about this size. */
const commands = (length: number) => [1, 2].map((id) => ({ id, rpc: { method: 'x'.repeat(length / 2) } }));
const lines = (length: number) =>
  commands(length)
    .map((each) => JSON.stringify(each))
    .join('\n');
/** A part of a larger chunk, as a socket reads them. */
const inChunk = (frame: Buffer) => Buffer.concat([frame, Buffer.alloc(2 * frame.length)]).subarray(0, frame.length);

/** Puts one frame of a client, of about this size, among those that wait. */
const WAITING: Readonly<Record<string, (frames: DeferredFrames, length: number) => void>> = {
  'a text': (frames, length) => frames.push(text(length)),
  'a text of wide characters': (frames, length) => frames.push(wide(length)),
  bytes: (frames, length) => frames.push(inChunk(Buffer.alloc(length))),
  'the rest of a text': (frames, length) => frames.putBack(begin(new CentrifugeCodec(shape), lines(length))),
  'the rest of bytes': (frames, length) =>
    frames.putBack(begin(new CentrifugeProtobufCodec(shape), inChunk(commandFrame(...commands(length))))),
};

describe.each(Object.entries(WAITING))('the memory of %s that waits', (_what, wait) => {
  it.each([
    [100, 5_000],
    [20_000, 200],
  ])('is counted as about what it is, and not less, at about %i bytes', async (length, count) => {
    const frames = new DeferredFrames();
    wait(frames, length);
    const [before, counted] = [await heldBytes(), frames.bytes];
    for (let n = 0; n < count; n++) wait(frames, length);
    const held = ((await heldBytes()) - before) / count;
    const each = (frames.bytes - counted) / count;
    // What other code of the process takes and gives back meanwhile is part of the measure.
    expect([each >= 0.8 * held, each <= 2.5 * held + 400]).toEqual([true, true]);
    for (let n = 0; n <= count; n++) frames.shift();
    expect(frames.bytes).toBe(0);
  });
});
