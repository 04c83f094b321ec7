import { describe, expect, it } from 'vitest';
import { describeProblems } from '../base/problem.js';
import type { Decoded } from './decoded.js';
import { explainGatewayLimits, gatewayRateOf, largestMessage, sizeLimitOf } from './gateway-limits.js';

describe('the rate of a gateway', () => {
  it.each([
    [{}, undefined],
    [{ maxMessageBytes: 128 }, undefined],
    [{ commandsPerSecond: 60 }, { perSecond: 60, burst: 300 }],
    [
      { commandsPerSecond: 60, commandBurst: 90 },
      { perSecond: 60, burst: 90 },
    ],
    [{ commandsPerSecond: Infinity }, { perSecond: Infinity, burst: Infinity }],
  ])('of %j is %j', (limits, rate) => {
    expect(gatewayRateOf(limits)).toEqual(rate);
  });
});

describe('the largest message', () => {
  it.each([
    [[], 1_000],
    [[{ maxMessageBytes: 200 }], 1_000],
    [[{ maxMessageBytes: 2_000 }, { maxMessageBytes: 200 }, {}], 2_000],
    [[{ maxMessageBytes: Infinity }], Infinity],
  ])('with the gateways %j is %d', (all, bytes) => {
    expect(largestMessage(all, 1_000)).toBe(bytes);
  });
});

describe('the size limit', () => {
  const message: Decoded = { ok: true, command: { action: 'message', topic: 'a', type: 't' } };
  const subscribe: Decoded = { ok: true, command: { action: 'subscribe', topic: 'a' } };
  const wrong: Decoded = { ok: false, error: { code: 'INVALID_MESSAGE', message: 'No.' } };

  it.each([
    ['of a message is that of its gateway', message, { maxMessageBytes: 200 }, 200],
    ['of a message to a gateway without one is the common one', message, { commandsPerSecond: 1 }, 1_000],
    ['of a message to another topic is the common one', message, undefined, 1_000],
    ['of another command is the common one', subscribe, { maxMessageBytes: 200 }, 1_000],
    ['of what is no command is the common one', wrong, undefined, 1_000],
  ])('%s', (_effect, decoded, limits, bytes) => {
    expect(sizeLimitOf(decoded, limits, 1_000)).toBe(bytes);
  });
});

describe('what is wrong with the limits of a gateway', () => {
  const RATE = 'must be a whole number of commands of at least 1, or Infinity to turn the limit off';

  it.each<[unknown, string]>([
    [{}, ''],
    [{ commandsPerSecond: 60, commandBurst: 120, maxMessageBytes: 128 }, ''],
    [{ commandsPerSecond: Infinity, maxMessageBytes: Infinity }, ''],
    [{ commandsPerSecond: undefined }, ''],
    [60, 'limits must be an object like { commandsPerSecond: 60, commandBurst: 120 }'],
    [null, 'limits must be an object like { commandsPerSecond: 60, commandBurst: 120 }'],
    [[], 'limits must be an object like { commandsPerSecond: 60, commandBurst: 120 }'],
    [{ commandsPerSecond: 0 }, `limits.commandsPerSecond ${RATE}; for example 60`],
    [{ commandsPerSecond: 1, commandBurst: 1.5 }, `limits.commandBurst ${RATE}; for example 120`],
    [{ commandsPerSecond: '60' }, `limits.commandsPerSecond ${RATE}; for example 60`],
    [{ commandsPerSecond: NaN }, `limits.commandsPerSecond ${RATE}; for example 60`],
    [{ commandBurst: 9 }, 'limits.commandBurst needs limits.commandsPerSecond beside it'],
    [
      { maxMessageBytes: 127 },
      'limits.maxMessageBytes must be a whole number of bytes of at least 128, or Infinity to turn the limit off; for example 1024',
    ],
    [
      { perSecond: 1 },
      'limits.perSecond is not an option; the options are: commandsPerSecond, commandBurst, maxMessageBytes',
    ],
  ])('of %j: %s', (limits, text) => {
    expect(describeProblems(explainGatewayLimits(limits))).toBe(text);
  });
});
