import { describe, expect, it } from 'vitest';
import { GOLDEN_REPLIES } from '../../helpers/golden-replies.js';
import { decodeWithProtoc } from '../../helpers/protoc.js';

/** Longer than it takes to install protoc. */
const DEADLINE_MS = 120_000;

describe('Google’s own implementation of Protobuf', () => {
  it.each(GOLDEN_REPLIES)(
    'reads $name as it was written',
    async ({ bytes, text }) => {
      const frame = Buffer.from(bytes, 'hex');
      // The length of each is below 128, which is one byte.
      expect(frame[0]).toBe(frame.length - 1);
      expect(await decodeWithProtoc('sdk.Reply', frame.subarray(1))).toBe(text);
    },
    DEADLINE_MS,
  );
});
