import { describe, expect, it } from 'vitest';
import { decodeFrame, encodeFrame } from '../../../core/bus/bus-frame.js';
import { splitPublication } from '../../../core/bus/publication-frame.js';
import { topic } from '../../../core/routing/address.js';
import { FrameSigner } from './frame-signer.js';

const [FIRST, SECOND] = ['first'.repeat(8), 'second'.repeat(8)];
const CHANNEL = 'realtime@0:topic:chat:1';
const frame = {
  kind: 'envelope' as const,
  origin: 'n1',
  sequence: 7,
  wantsReport: true,
  envelope: {
    to: [topic('chat:1')],
    except: [],
    content: { kind: 'message' as const, text: '{"type":"said","payload":"é\ud83d\ude00"}' },
  },
};
const signed = (secret: string, isPublication = false) =>
  new FrameSigner({ sign: secret }).sign(CHANNEL, encodeFrame(frame), isPublication);
const check = (signer: FrameSigner, text: string, channel = CHANNEL) => signer.check(channel, text, decodeFrame(text)!);

describe('a signed frame', () => {
  const signer = new FrameSigner({ sign: FIRST });

  it('is good on its channel', () => {
    expect(check(signer, signed(FIRST))).toBe('good');
  });

  it.each([
    ['on another channel', signed(FIRST), 'realtime@0:topic:chat:2'],
    ['of another secret', signed(SECOND)],
    ['with another sequence', signed(FIRST).replace('"n1",7', '"n1",8')],
    ['with another text', signed(FIRST).replace('said', 'sold')],
    ['with another address', signed(FIRST).replace('chat:1', 'chat:2')],
    ['with another signature', signed(FIRST).replace(/"sig":"./, '"sig":"!')],
    ['with a position', signed(FIRST).replace(',{"sig"', ',["e",5],{"sig"')],
  ])('is wrong %s', (_how, text, channel = CHANNEL) => {
    expect(check(signer, text, channel)).toBe('wrong');
  });

  it('is told from one without a signature', () => {
    expect(check(signer, encodeFrame(frame))).toBe('missing');
  });

  it('is good with each secret that is accepted', () => {
    const rotating = new FrameSigner({ sign: SECOND, accept: [FIRST] });
    expect([check(rotating, signed(FIRST)), check(rotating, signed(SECOND))]).toEqual(['good', 'good']);
  });
});

describe('a signed publication', () => {
  const signer = new FrameSigner({ sign: FIRST });
  const [head, tail] = splitPublication(signed(FIRST, true));

  it('is good at whatever position Redis has given to it', () => {
    expect(check(signer, `${head}["an-epoch",123456]${tail}`)).toBe('good');
  });

  it.each([
    ['without a position', signed(FIRST, true)],
    ['with another text', `${head}["an-epoch",123456]${tail.replace('said', 'sold')}`],
  ])('is wrong %s', (_how, text) => {
    expect(check(signer, text)).toBe('wrong');
  });
});

describe('while unsigned frames are accepted', () => {
  const signer = new FrameSigner({ sign: FIRST, acceptUnsigned: true });

  it('a frame without a signature is good, and one with a wrong signature is not', () => {
    expect([check(signer, encodeFrame(frame)), check(signer, signed(SECOND))]).toEqual(['good', 'wrong']);
  });
});
