import { describe, expect, it, vi } from 'vitest';
import type { Decoded } from '../../core/protocol/decoded.js';
import { TopicLimits } from './topic-limits.js';

const CURSOR = { commandsPerSecond: 60, maxMessageBytes: 200 };
const FILES = { maxMessageBytes: 1_000_000 };
const of = (topic: string) => ({ cursor: { limits: CURSOR }, files: { limits: FILES }, chat: {} })[topic];
const limits = new TopicLimits({ limits: [CURSOR, FILES], of }, 1_000);

const message = (topic: string, bytes?: number): Decoded => ({
  ok: true,
  command: { action: 'message', topic, type: 't' },
  ...(bytes !== undefined && { bytes }),
});
const subscribe: Decoded = { ok: true, command: { action: 'subscribe', topic: 'cursor' } };
const wrong: Decoded = { ok: false, error: { code: 'INVALID_MESSAGE', message: 'No.' } };

const exceeded = (decoded: Decoded, text: string) => limits.exceeded(decoded, limits.of(decoded), text);

describe('the limits of a command', () => {
  it.each([
    ['are those of the gateway of a message', message('cursor'), CURSOR],
    ['are none for a gateway that declares none', message('chat'), undefined],
    ['are none for a topic that nobody serves', message('elsewhere'), undefined],
    ['are none for other commands', subscribe, undefined],
    ['are none for what is no command', wrong, undefined],
  ])('%s', (_effect, decoded, expected) => {
    expect(limits.of(decoded)).toBe(expected);
  });

  it('are not looked up by a name that is too long for a topic', () => {
    const lookup = vi.fn(of);
    new TopicLimits({ limits: [CURSOR], of: lookup }, 1_000).of(message('x'.repeat(256)));
    expect(lookup).not.toHaveBeenCalled();
  });
});

describe('the size of a command', () => {
  it.each([
    ['is measured by the limit of its gateway', message('cursor'), 201, 200],
    ['may be as large as that', message('cursor'), 200, undefined],
    ['may be larger than the common one for a gateway that allows it', message('files'), 900_000, undefined],
    ['is measured by the common limit for other gateways', message('chat'), 1_001, 1_000],
    ['is measured by the common limit for other commands', subscribe, 1_001, 1_000],
    ['is no matter for what is refused anyway', wrong, 2_000, undefined],
    ['is its own, not that of the frame with other commands in it', message('cursor', 150), 2_000, undefined],
  ])('%s', (_effect, decoded, length, limit) => {
    expect(exceeded(decoded, 'x'.repeat(length))).toBe(limit);
  });

  it('is counted in bytes', () => {
    expect(exceeded(message('cursor'), 'é'.repeat(101))).toBe(200);
    expect(limits.exceeded(message('cursor'), CURSOR, Buffer.alloc(201))).toBe(200);
    expect(limits.exceeded(message('cursor'), CURSOR, Buffer.alloc(200))).toBeUndefined();
  });
});

describe('the largest message', () => {
  it('is that of the most generous gateway', () => {
    expect(limits.largestMessage).toBe(1_000_000);
  });

  it('is the common one where no gateway declares any', () => {
    expect(new TopicLimits({ of }, 1_000).largestMessage).toBe(1_000);
  });
});
