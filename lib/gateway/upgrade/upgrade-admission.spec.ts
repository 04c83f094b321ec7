import { beforeEach, describe, expect, it } from 'vitest';
import { collectLogs } from '../../../test/helpers/handler-harness.js';
import { memoryUpgrade } from '../../../test/helpers/memory-upgrade.js';
import { RealtimeSettings, type RealtimeLimits } from '../../options/realtime.options.js';
import { UpgradeAdmission } from './upgrade-admission.js';

const CLIENT = { address: '192.0.2.1', host: 'example.com', isSecure: false };
const NEIGHBOUR = { ...CLIENT, address: '192.0.2.2' };
const REASON = { status: 403, message: 'No.' };

let now: number;

beforeEach(() => void (now = 0));

const admissionOf = (limits: RealtimeLimits = {}, trustProxy: number = 0) =>
  new UpgradeAdmission(new RealtimeSettings({ limits, trustProxy }), { now: () => now });

describe('the client address', () => {
  const forwarded = memoryUpgrade('/ws', { 'x-forwarded-for': '203.0.113.9' }).request;

  it('is that of X-Forwarded-For behind a trusted proxy, without a warning', () => {
    const logs = collectLogs();
    expect([admissionOf({}, 1).clientOf(forwarded).address, logs]).toEqual(['203.0.113.9', []]);
  });

  it('ignores the header without a trusted proxy, and warns once', () => {
    const logs = collectLogs();
    const admission = admissionOf();
    for (let n = 0; n < 3; n++) expect(admission.clientOf(forwarded).address).not.toBe('203.0.113.9');
    expect(logs).toEqual([expect.stringContaining('trustProxy')]);
  });

  it('warns of nothing for requests without the header', () => {
    const logs = collectLogs();
    admissionOf().clientOf(memoryUpgrade().request);
    expect(logs).toEqual([]);
  });
});

describe('a request refused before its token is read', () => {
  it('gets its reason, and RATE_LIMITED once its address has had too many refusals', () => {
    const admission = admissionOf({ refusedPerSecondPerIp: 1 });
    const answers = Array.from({ length: 6 }, () => admission.turnAway(CLIENT, REASON));
    expect(answers.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => REASON));
    expect(answers[5]).toMatchObject({ status: 429, code: 'RATE_LIMITED', retryAfterS: 1 });
    expect(admission.turnAway(NEIGHBOUR, REASON)).toBe(REASON);
  });
});

describe('a client to be authenticated', () => {
  it('gets a place', () => {
    expect(admissionOf().enter(CLIENT, 0, 'token')).toHaveProperty('settle');
  });

  it.each<[string, RealtimeLimits, connections: number, object]>([
    ['a full node', { maxConnections: 10 }, 10, { status: 503, code: 'UNAVAILABLE' }],
    ['too many unauthenticated clients', { maxUnauthenticated: 1 }, 0, { status: 503, code: 'UNAVAILABLE' }],
    ['too many of its address', { maxUnauthenticatedPerIp: 1 }, 0, { status: 429, code: 'RATE_LIMITED' }],
  ])('is refused because of %s', (_why, limits, connections, refusal) => {
    const admission = admissionOf(limits);
    admission.enter(CLIENT, connections, 'token');
    const answer = admission.enter(CLIENT, connections, 'token');
    expect(answer).toMatchObject(refusal);
    expect(answer).toHaveProperty('retryAfterS');
  });

  it('frees its place once, however often it is settled', () => {
    const admission = admissionOf({ maxUnauthenticatedPerIp: 2 });
    const [first] = [admission.enter(CLIENT, 0, 'token'), admission.enter(CLIENT, 0, 'token')];
    if ('settle' in first) for (let n = 0; n < 2; n++) first.settle('unknown');
    expect(admission.enter(CLIENT, 0, 'token')).toHaveProperty('settle');
    expect(admission.enter(CLIENT, 0, 'token')).toMatchObject({ status: 429 });
  });

  it('is refused after its verification if the node accepts too many at once', () => {
    const admission = admissionOf({ acceptsPerSecond: 1 });
    const places = [admission.enter(CLIENT, 0, 'token'), admission.enter(CLIENT, 0, 'token')];
    const answers = places.map((place) => ('settle' in place ? place.settle('verified') : place));
    expect(answers).toMatchObject([undefined, { status: 503, code: 'UNAVAILABLE', retryAfterS: 1 }]);
  });
});
