import { describe, expect, it } from 'vitest';
import type { Decoded } from './decoded.js';
import { judgeFrame, type FramePhase, type FrameVerdict } from './frame-verdict.js';

const command: Decoded = { ok: true, command: { action: 'unsubscribe', topic: 'a', id: 1 } };
const auth: Decoded = { ok: true, command: { action: 'auth', token: 't' } };
const opening: Decoded = { ok: true, command: { action: 'auth', token: 't', stage: 'opening' } };
const renewal: Decoded = { ok: true, command: { action: 'auth', token: 't', stage: 'renewal' } };
const wrong: Decoded = { ok: false, id: 1, error: { code: 'INVALID_MESSAGE', message: 'No.' } };
const garbage: Decoded = { ok: false, error: { code: 'INVALID_MESSAGE', message: 'No.' } };
const frames = { command, auth, opening, renewal, wrong, garbage };

/** A verdict in one word, with what the client is told. */
function short(verdict: FrameVerdict): string {
  if (typeof verdict === 'string') return verdict;
  if (verdict.kind === 'refuse') return `refuse ${verdict.error.code}`;
  return `close ${verdict.reason}${verdict.error ? ` after ${verdict.error.code}` : ''}`;
}

const FIRST = 'close authenticate first after UNAUTHENTICATED';
const FIRST_STRICT = 'close authenticate first';
const INVALID = 'refuse INVALID_MESSAGE';
const LIMITED = 'refuse RATE_LIMITED';

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
    ['unauthenticated', 'command', FIRST, FIRST_STRICT, LIMITED, LIMITED],
    ['unauthenticated', 'renewal', FIRST, FIRST_STRICT, LIMITED, LIMITED],
    ['unauthenticated', 'wrong', FIRST, FIRST_STRICT, LIMITED, LIMITED],
    ['unauthenticated', 'garbage', FIRST, 'close No.', LIMITED, 'close No.'],
    ['unauthenticated', 'auth', 'run', 'run', LIMITED, LIMITED],
    ['unauthenticated', 'opening', 'run', 'run', LIMITED, LIMITED],
    ['serving', 'command', 'run', 'run', LIMITED, LIMITED],
    ['serving', 'auth', 'run', 'run', LIMITED, LIMITED],
    ['serving', 'renewal', 'run', 'run', LIMITED, LIMITED],
    ['serving', 'opening', 'close authenticated already', 'close authenticated already', LIMITED, LIMITED],
    ['serving', 'wrong', INVALID, INVALID, LIMITED, LIMITED],
    ['serving', 'garbage', INVALID, 'close No.', LIMITED, 'close No.'],
  ])('in the phase %s for %s is: %s; strict: %s; above the limit: %s; strict: %s', (phase, name, ...expected) => {
    const verdicts = [0, 250].flatMap((waitMs) =>
      [false, true].map((isStrict) => short(judgeFrame(phase, frames[name], isStrict, waitMs))),
    );
    expect(verdicts).toEqual(expected);
  });

  it('above the limit says when to come back', () => {
    expect(judgeFrame('serving', command, false, 250)).toMatchObject({ error: { retryAfterMs: 250 } });
  });
});
