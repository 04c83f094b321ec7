import { describe, expect, it } from 'vitest';
import { topic } from '../routing/address.js';
import { decodeFrame, encodeFrame } from './bus-frame.js';
import { MAX_POSITION_BYTES, splitPublication } from './publication-frame.js';

const TEXT = '{"type":"said","payload":"]\\n","timestamp":"2026-01-31T12:00:00.000Z"}';

const frame = (position?: { readonly epoch: string; readonly offset: number }) => ({
  kind: 'envelope' as const,
  origin: 'n1',
  sequence: 7,
  wantsReport: true,
  envelope: {
    to: [topic('chat:1')],
    except: [],
    content: { kind: 'message' as const, text: TEXT, ...(position && { position }) },
  },
});

describe('the two parts of a publication’s frame', () => {
  it('are the frame of a publication with its position between them', () => {
    const [head, tail] = splitPublication(encodeFrame(frame()));
    expect(decodeFrame(`${head}["e",5]${tail}`)).toEqual(frame({ epoch: 'e', offset: 5 }));
  });

  it('are the same with the context of a trace', () => {
    const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const traced = (position?: { readonly epoch: string; readonly offset: number }) => {
      const { envelope, ...start } = frame(position);
      return { ...start, envelope: { ...envelope, trace } };
    };
    const [head, tail] = splitPublication(encodeFrame(traced()));
    expect(decodeFrame(`${head}["e",5]${tail}`)).toEqual(traced({ epoch: 'e', offset: 5 }));
  });

  it('end with the text of the message, behind the only line feed of the header', () => {
    const [, tail] = splitPublication(encodeFrame(frame()));
    expect(tail.slice(tail.indexOf('\n') + 1)).toBe(TEXT);
  });

  it('leave room for the longest position', () => {
    const longest = frame({ epoch: 'e'.repeat(64), offset: Number.MAX_SAFE_INTEGER });
    expect(encodeFrame(longest).length - encodeFrame(frame()).length).toBe(MAX_POSITION_BYTES);
  });
});
