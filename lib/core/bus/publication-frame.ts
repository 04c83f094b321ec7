import { encodeFrame, type BusFrame } from './bus-frame.js';

/** Most bytes that a position adds to a frame: an epoch of 64 characters, an offset of 16 digits, and the punctuation. */
export const MAX_POSITION_BYTES = 86;

/**
 * The frame of a publication whose position is not known yet, in two parts: between them belongs the position as a list,
 * `["epoch",offset]`. The second part begins with `,` and ends with a line feed and the message's text.
 * @param frame an envelope with a message that has no position
 */
export function splitPublication(
  frame: Extract<BusFrame, { kind: 'envelope' }>,
): readonly [head: string, tail: string] {
  const text = encodeFrame(frame);
  // In front of the object of optional fields, `,{}]`.
  const end = text.lastIndexOf(',{', text.indexOf('\n'));
  return [`${text.slice(0, end)},`, text.slice(end)];
}
