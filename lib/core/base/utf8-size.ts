/** Returns the size of a text in UTF-8, in bytes. Half of a surrogate pair counts as three. */
export function utf8Size(text: string): number {
  let bytes = 0;
  for (let i = 0; i < text.length; i += unitsAt(text, i)) bytes += bytesAt(text, i);
  return bytes;
}

/**
 * Returns where to cut a text so that the part from `start` has at most so many bytes in UTF-8: at the end of the text, or
 * before the first character that does not fit, never inside a surrogate pair.
 * @param maxBytes at least 4, which any character fits into
 */
export function utf8Cut(text: string, start: number, maxBytes: number): number {
  let bytes = 0;
  for (let i = start; i < text.length; i += unitsAt(text, i)) {
    bytes += bytesAt(text, i);
    if (bytes > maxBytes) return i;
  }
  return text.length;
}

/** True if the text ends with the first half of a surrogate pair. */
export function endsInHalfPair(text: string): boolean {
  return isFirstHalf(text.charCodeAt(text.length - 1));
}

/** The UTF-16 units of the character at an index. */
function unitsAt(text: string, index: number): number {
  return isFirstHalf(text.charCodeAt(index)) && isSecondHalf(text.charCodeAt(index + 1)) ? 2 : 1;
}

function bytesAt(text: string, index: number): number {
  const unit = text.charCodeAt(index);
  if (unit < 0x80) return 1;
  if (unit < 0x800) return 2;
  return unitsAt(text, index) === 2 ? 4 : 3;
}

function isFirstHalf(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isSecondHalf(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
