import { describe, expect, it } from 'vitest';
import type { Decoded } from './decoded.js';
import { judgeFrame, type Excess, type FramePhase, type FrameVerdict } from './frame-verdict.js';

const command: Decoded = { ok: true, command: { action: 'message', topic: 'a', type: 't', id: 1 } };
const subscribe: Decoded = { ok: true, command: { action: 'subscribe', topic: 'a', id: 1 } };
const unsubscribe: Decoded = { ok: true, command: { action: 'unsubscribe', topic: 'a', id: 1 } };
const cancel: Decoded = { ok: true, command: { action: 'cancel', id: 1 } };
const pong: Decoded = { ok: true, command: { action: 'pong' } };
const ping: Decoded = { ok: true, command: { action: 'ping', id: 1 } };
const auth: Decoded = { ok: true, command: { action: 'auth', token: 't' } };
const opening: Decoded = { ok: true, command: { action: 'auth', token: 't', stage: 'opening' } };
const renewal: Decoded = { ok: true, command: { action: 'auth', token: 't', stage: 'renewal' } };
const wrong: Decoded = { ok: false, id: 1, error: { code: 'INVALID_MESSAGE', message: 'No.' } };
const garbage: Decoded = { ok: false, error: { code: 'INVALID_MESSAGE', message: 'No.' } };
const misshapen: Decoded = {
  ok: false,
  id: 1,
  error: { code: 'LIMIT_EXCEEDED', message: 'No.' },
  blame: 'if-repeated',
};
const unserved: Decoded = { ok: false, id: 1, error: { code: 'UNKNOWN_ACTION', message: 'No.' }, blame: 'never' };
const commands = { command, subscribe, unsubscribe, cancel, ping, pong };
const frames = { ...commands, auth, opening, renewal, wrong, garbage, misshapen, unserved };

const TOO_FAST: Excess = { retryAfterMs: 250, isWithoutRoom: false };
const NO_ROOM: Excess = { retryAfterMs: 250, isWithoutRoom: true };

/** A verdict in one word, with what the client is told. */
function short(verdict: FrameVerdict): string {
  if (typeof verdict === 'string') return verdict;
  if (verdict.kind === 'refuse') {
    return `refuse ${verdict.error.code}${verdict.blame === 'always' ? '' : `, blamed ${verdict.blame}`}`;
  }
  return `close ${verdict.reason}${verdict.error ? ` after ${verdict.error.code}` : ''}`;
}

const FIRST = 'close authenticate first after UNAUTHENTICATED';
const FIRST_STRICT = 'close authenticate first';
const INVALID = 'refuse INVALID_MESSAGE';
const LIMITED = 'refuse RATE_LIMITED, blamed never';
const LIMITED_MISTAKE = 'refuse RATE_LIMITED';
const SHAPE = 'refuse LIMIT_EXCEEDED, blamed if-repeated';
const UNSERVED = 'refuse UNKNOWN_ACTION, blamed never';

type Row = readonly [
  phase: Exclude<FramePhase, 'starting'>,
  frame: keyof typeof frames,
  plain: string,
  strict: string,
  tooFast: string,
  strictTooFast: string,
];

describe('the verdict on a frame', () => {
  it.each<Row>([
    ['closed', 'command', 'ignore', 'ignore', 'ignore', 'ignore'],
    ['closed', 'auth', 'ignore', 'ignore', 'ignore', 'ignore'],
    ['closed', 'garbage', 'ignore', 'ignore', 'ignore', 'ignore'],
    ['unauthenticated', 'command', FIRST, FIRST_STRICT, FIRST, FIRST_STRICT],
    ['unauthenticated', 'unsubscribe', FIRST, FIRST_STRICT, FIRST, FIRST_STRICT],
    ['unauthenticated', 'renewal', FIRST, FIRST_STRICT, FIRST, FIRST_STRICT],
    ['unauthenticated', 'wrong', FIRST, FIRST_STRICT, FIRST, FIRST_STRICT],
    ['unauthenticated', 'garbage', FIRST, 'close No.', FIRST, 'close No.'],
    ['unauthenticated', 'auth', 'run', 'run', LIMITED, LIMITED],
    ['unauthenticated', 'opening', 'run', 'run', LIMITED, LIMITED],
    ['serving', 'command', 'run', 'run', LIMITED, LIMITED],
    ['serving', 'subscribe', 'run', 'run', LIMITED, LIMITED],
    ['serving', 'unsubscribe', 'run', 'run', 'run', 'run'],
    ['serving', 'cancel', 'run', 'run', 'run', 'run'],
    ['serving', 'pong', 'run', 'run', 'run', 'run'],
    ['serving', 'ping', 'run', 'run', LIMITED, LIMITED],
    ['serving', 'auth', 'run', 'run', LIMITED, LIMITED],
    ['serving', 'renewal', 'run', 'run', LIMITED, LIMITED],
    ['serving', 'opening', 'close authenticated already', 'close authenticated already', LIMITED, LIMITED],
    ['serving', 'wrong', INVALID, INVALID, LIMITED_MISTAKE, LIMITED_MISTAKE],
    ['serving', 'garbage', INVALID, 'close No.', LIMITED_MISTAKE, 'close No.'],
    ['serving', 'misshapen', SHAPE, SHAPE, LIMITED, LIMITED],
    ['serving', 'unserved', UNSERVED, UNSERVED, LIMITED, LIMITED],
  ])('in the phase %s for %s is: %s; strict: %s; above the limit: %s; strict: %s', (phase, name, ...expected) => {
    const verdicts = [undefined, TOO_FAST].flatMap((excess) =>
      [false, true].map((isStrict) => short(judgeFrame(phase, frames[name], isStrict, excess))),
    );
    expect(verdicts).toEqual(expected);
  });

  it.each<[keyof typeof frames, string]>([
    ['subscribe', 'refuse LIMIT_EXCEEDED, blamed never'],
    ['command', LIMITED],
    ['wrong', LIMITED_MISTAKE],
    ['unsubscribe', 'run'],
  ])('above the limit for %s of a connection that has no room for a topic is: %s', (name, expected) => {
    expect(short(judgeFrame('serving', frames[name], false, NO_ROOM))).toBe(expected);
  });

  it('above the limit says when to come back', () => {
    expect(judgeFrame('serving', command, false, TOO_FAST)).toMatchObject({ error: { retryAfterMs: 250 } });
  });
});

describe('a command above its size limit', () => {
  it.each<[string, Exclude<FramePhase, 'starting'>, Decoded, string]>([
    ['is refused', 'serving', command, 'refuse LIMIT_EXCEEDED'],
    ['is refused whatever it is', 'serving', subscribe, 'refuse LIMIT_EXCEEDED'],
    ['is refused for its error, if it has one', 'serving', wrong, INVALID],
    ['is not looked at before the client has authenticated', 'unauthenticated', command, FIRST],
    ['is ignored after the end', 'closed', command, 'ignore'],
  ])('%s', (_effect, phase, decoded, verdict) => {
    expect(short(judgeFrame(phase, decoded, false, undefined, 128))).toBe(verdict);
  });

  it('is refused for the rate limit when it exceeds that, too', () => {
    expect(short(judgeFrame('serving', command, false, TOO_FAST, 128))).toBe(LIMITED);
  });

  it('is told its topic and the limit', () => {
    const verdict = judgeFrame('serving', command, false, undefined, 128);
    expect(verdict).toMatchObject({
      error: { action: 'message', topic: 'a', message: expect.stringContaining('128 bytes') },
    });
  });
});
