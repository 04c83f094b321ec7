import { expect, it } from 'vitest';
import { GOLDEN_NOW, GOLDEN_REPLIES } from '../../../../test/helpers/golden-replies.js';
import { CentrifugeProtobufCodec } from '../centrifuge-protobuf-codec.js';

const codec = new CentrifugeProtobufCodec({ maxDepth: 32, maxKeys: 1_000, maxValues: 10_000 });

it.each(GOLDEN_REPLIES)('$name has the bytes that it always had', ({ push, bytes }) => {
  expect(Buffer.from(codec.encodePush(push, GOLDEN_NOW)!).toString('hex')).toBe(bytes);
});
