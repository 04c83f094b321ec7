/** Most bytes that a position adds to a frame: an epoch of 64 characters, an offset of 16 digits, and the punctuation. */
export const MAX_POSITION_BYTES = 86;

/**
 * Splits the frame of a publication whose position is not known yet: between the two parts belongs the position as a list,
 * `["epoch",offset]`. The second part begins with `,` and ends with a line feed and the message's text.
 * @param text the frame of an envelope with a message that has no position
 */
export function splitPublication(text: string): readonly [head: string, tail: string] {
  // In front of the object of optional fields, such as `,{}]`.
  const end = text.lastIndexOf(',{', text.indexOf('\n'));
  return [`${text.slice(0, end)},`, text.slice(end)];
}
