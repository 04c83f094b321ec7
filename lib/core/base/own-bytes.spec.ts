import { expect, it } from 'vitest';
import { ownBytes } from './own-bytes.js';

it.each([0, 10, 100, 5_000])('a copy of %i bytes holds nothing of the chunk that they came in', (length) => {
  const chunk = Buffer.alloc(65_536, 7);
  const copy = ownBytes(chunk.subarray(10, 10 + length));
  chunk.fill(0);
  expect([Buffer.isBuffer(copy), copy, copy.buffer.byteLength]).toEqual([true, Buffer.alloc(length, 7), length]);
});
