import { CentrifugeCodec } from '../../lib/codecs/centrifuge/centrifuge-codec.js';
import { CentrifugeProtobufCodec } from '../../lib/codecs/centrifuge/centrifuge-protobuf-codec.js';
import { JsonCodec } from '../../lib/codecs/json/json-codec.js';
import type { Codec } from '../../lib/ports/codec.js';
import type { FramePayload } from '../../lib/ports/frame.js';
import { HOSTILE_BYTES, HOSTILE_FRAMES, LEGAL } from './hostile-frames.js';

/** The cost of decoding one frame, in nanoseconds of CPU per byte. */
export interface DecodingCost {
  readonly frame: string;
  /** `JSON.parse` alone, to its end or to where it throws. */
  readonly parse: number;
  readonly json: number;
  readonly centrifuge: number;
}

/** The costs of all frames, and what `JSON.parse` takes for legal text of the same size, all in one interleaved run. */
export interface DecodingCosts {
  readonly parse: number;
  readonly costs: readonly DecodingCost[];
  /** The costs of frames of the Protobuf form, in the same unit. */
  readonly protobuf: readonly { readonly frame: string; readonly cost: number }[];
}

/** The default limits: shape of `limits.maxJsonDepth`, `maxJsonKeys` and `maxJsonValues`. */
const SHAPE = { maxDepth: 32, maxKeys: 1_000, maxValues: 10_000 };

/** Measures every decoder with every frame. @param rounds medians are taken over so many interleaved rounds */
export function measureDecoding(rounds: number): DecodingCosts {
  const codecs = [new JsonCodec(SHAPE), new CentrifugeCodec(SHAPE)] as const;
  const protobufCodec = new CentrifugeProtobufCodec(SHAPE);
  const tasks = [
    () => void JSON.parse(LEGAL),
    ...HOSTILE_FRAMES.flatMap(({ text }) => [() => parse(text), ...codecs.map((codec) => () => decode(codec, text))]),
    ...HOSTILE_BYTES.map(
      ({ bytes }) =>
        () =>
          decode(protobufCodec, bytes),
    ),
  ];
  const samples: number[][] = tasks.map(() => []);
  for (let round = 0; round < rounds; round++) tasks.forEach((task, at) => samples[at]!.push(nanosecondsOf(task)));
  const medians = samples.map((all) => all.toSorted((a, b) => a - b)[Math.floor(rounds / 2)]!);
  const costs = HOSTILE_FRAMES.map(({ name, text }, at) => ({
    frame: name,
    parse: medians[1 + at * 3]! / text.length,
    json: medians[2 + at * 3]! / text.length,
    centrifuge: medians[3 + at * 3]! / text.length,
  }));
  const firstOfBytes = 1 + HOSTILE_FRAMES.length * 3;
  const protobuf = HOSTILE_BYTES.map(({ name, bytes }, at) => ({
    frame: name,
    cost: medians[firstOfBytes + at]! / bytes.length,
  }));
  return { parse: medians[0]! / LEGAL.length, costs, protobuf };
}

function parse(text: string): void {
  try {
    JSON.parse(text);
  } catch {
    // The time until then is what is wanted.
  }
}

/** Decodes as a session does: it stops at the first failure that ends the connection. */
function decode(codec: Codec, frame: FramePayload): void {
  const decoded = codec.decode(frame);
  if (!('batch' in decoded)) return;
  for (const each of decoded.batch) if (!each.ok && each.id === undefined) return;
}

function nanosecondsOf(task: () => void): number {
  const start = process.hrtime.bigint();
  task();
  return Number(process.hrtime.bigint() - start);
}
