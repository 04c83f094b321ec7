import { describe, expect, it } from 'vitest';
import { textHeapBytes } from './heap-estimate.js';
import { KeptPayloads } from './kept-payloads.js';

const TEXT = JSON.stringify({ key: 'x'.repeat(100) });
const SIZE = textHeapBytes(TEXT.length);

describe('the kept payloads of a connection', () => {
  it('are returned as new copies', () => {
    const payloads = new KeptPayloads(SIZE);
    payloads.keep('a', TEXT);
    expect(payloads.of('a')).toEqual(JSON.parse(TEXT));
    expect(payloads.of('a')).not.toBe(payloads.of('a'));
    expect(payloads.of('b')).toBeUndefined();
  });

  it('have room up to the bound', () => {
    const payloads = new KeptPayloads(2 * SIZE);
    payloads.keep('a', TEXT);
    expect(payloads.hasRoomFor('b', TEXT)).toBe(true);
    payloads.keep('b', TEXT);
    expect(payloads.hasRoomFor('c', '0')).toBe(false);
  });

  it('give room again with the end of a subscription', () => {
    const payloads = new KeptPayloads(2 * SIZE);
    for (const topic of ['a', 'b']) payloads.keep(topic, TEXT);
    payloads.delete('a');
    payloads.delete('a');
    expect([payloads.hasRoomFor('c', TEXT), payloads.bytes]).toEqual([true, SIZE]);
  });

  it('count the payload of a topic once, however often it changes', () => {
    const payloads = new KeptPayloads(2 * SIZE);
    for (let n = 0; n < 10; n++) payloads.keep('a', TEXT);
    payloads.keep('b', TEXT);
    expect([payloads.hasRoomFor('a', TEXT), payloads.hasRoomFor('a', `${TEXT} `)]).toEqual([true, false]);
    expect(payloads.bytes).toBe(2 * SIZE);
  });

  it('have room for a single one of any size', () => {
    expect(new KeptPayloads(1).hasRoomFor('a', TEXT)).toBe(true);
  });
});
