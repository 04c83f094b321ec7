import { beforeAll, describe, expect, it } from 'vitest';
import { GOLDEN_REPLIES } from '../../helpers/golden-replies.js';
import { decodeWithProtoc, locateProtoc } from '../../helpers/protoc.js';

/** Longer than it takes to install protoc behind other programs that tests need. */
const DEADLINE_MS = 300_000;

let protoc: string;

beforeAll(async () => {
  protoc = await locateProtoc();
}, DEADLINE_MS);

describe('Google’s own implementation of Protobuf', () => {
  it.each(GOLDEN_REPLIES)('reads $name as it was written', async ({ bytes, text }) => {
    const frame = Buffer.from(bytes, 'hex');
    // The length of each is below 128, which is one byte.
    expect(frame[0]).toBe(frame.length - 1);
    expect(await decodeWithProtoc(protoc, 'sdk.Reply', frame.subarray(1))).toBe(text);
  });
});
