import { describe, expect, it } from 'vitest';
import { topic, user } from '../routing/address.js';
import type { EnvelopeContent } from '../routing/envelope.js';
import { decodeFrame, encodeFrame, type BusFrame } from './bus-frame.js';
import { isUnsignedByNature, SIGNATURE_LENGTH, splitSignature, textToSign, withSignature } from './frame-signature.js';
import { splitPublication } from './publication-frame.js';

const SIGNATURE = 'Ab-_'.repeat(11).slice(0, SIGNATURE_LENGTH);
const START = { origin: 'n1', sequence: 7 };
const TEXT = '{"type":"said","payload":"\\n,{}]","timestamp":"2026-01-31T12:00:00.000Z"}';

const envelope = (content: EnvelopeContent, to = [topic('chat:1')]): Extract<BusFrame, { kind: 'envelope' }> => ({
  kind: 'envelope',
  ...START,
  wantsReport: false,
  envelope: { to, except: [], content },
});

const FRAMES: readonly BusFrame[] = [
  envelope({ kind: 'message', text: TEXT }),
  envelope({ kind: 'rights', roles: ['admin'] }),
  { kind: 'query', ...START, query: { kind: 'connections', of: user('42') } },
  { kind: 'reached', ...START, counts: [[3, 1]] },
  { kind: 'reached', ...START, counts: [[3, 1]], isUnserved: true },
  { kind: 'result', ...START, about: 3, isLast: true, results: [1] },
  { kind: 'roll-call', ...START },
  { kind: 'probe', ...START },
  { kind: 'attachment', ...START, isAttached: true, isGone: false },
];

describe('the signature of a frame', () => {
  it.each(FRAMES)('of the kind $kind is an optional field, which readers without a secret ignore', (frame) => {
    expect(decodeFrame(withSignature(encodeFrame(frame), SIGNATURE))).toEqual(frame);
  });

  it.each(FRAMES)('of the kind $kind is found and taken out again', (frame) => {
    const text = encodeFrame(frame);
    expect(splitSignature(withSignature(text, SIGNATURE))).toEqual({ text, signature: SIGNATURE });
    expect(splitSignature(text)).toEqual({ text, signature: undefined });
  });

  it.each(['', '\n', 'x\n', '"sig":"', `"sig":"${SIGNATURE}"}]\n`, 'x'.repeat(100)])('is missing in %j', (text) => {
    expect(splitSignature(text).text.length).toBeLessThanOrEqual(text.length);
  });
});

describe('the signed text', () => {
  const text = encodeFrame(envelope({ kind: 'message', text: TEXT }));

  it('differs for every channel, also when channel and frame are shifted against each other', () => {
    expect(textToSign('a', text, false)).not.toBe(textToSign('b', text, false));
    expect(textToSign('a1', 'e', false)).not.toBe(textToSign('a', '1e', false));
  });

  it('of a publication is that of the frame without its position', () => {
    const [head, tail] = splitPublication(text);
    const placed = `${head}["e",5]${tail}`;
    expect(textToSign('a', placed, true, { epoch: 'e', offset: 5 })).toBe(textToSign('a', text, true));
  });

  it('tells a publication from a message without a position', () => {
    expect(textToSign('a', text, true)).not.toBe(textToSign('a', text, false));
  });

  it('is missing when the position is written in another way', () => {
    const [head, tail] = splitPublication(text);
    expect(textToSign('a', `${head}["e", 5]${tail}`, true, { epoch: 'e', offset: 5 })).toBeUndefined();
  });
});

describe('a frame that no node signs', () => {
  const CHANNEL = 'realtime@0:topic:chat:1';
  const news = (at = { epoch: 'n1', sequence: 7, previous: 6 }) => envelope({ kind: 'joined', userId: 'ann', at });

  it('is the news of presence in the channel of its topic', () => {
    expect(isUnsignedByNature(news(), CHANNEL)).toBe(true);
  });

  it.each<[what: string, frame: BusFrame, channel?: string]>([
    ['a message', envelope({ kind: 'message', text: TEXT })],
    ['an order', envelope({ kind: 'revalidate' })],
    ['a query', { kind: 'query', ...START, query: { kind: 'topics', of: 'x' } }],
    ['news in another channel', news(), 'realtime@0:all'],
    ['news that wants a report', { ...news(), wantsReport: true }],
    ['news to a user', envelope({ kind: 'left', userId: 'ann' }, [user('ann')]), 'realtime@0:user:ann'],
    ['news to several topics', envelope({ kind: 'left', userId: 'ann' }, [topic('chat:1'), topic('chat:2')])],
    ['news in the name of a node', news({ epoch: 'another', sequence: 7, previous: 6 })],
    ['news with another number', news({ epoch: 'n1', sequence: 8, previous: 6 })],
  ])('is not %s', (_what, frame, channel = CHANNEL) => {
    expect(isUnsignedByNature(frame, channel)).toBe(false);
  });
});
