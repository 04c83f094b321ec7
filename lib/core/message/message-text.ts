import { isMessage } from './message.js';

/** The start and the end of every message's text; codecs rely on them. */
const START = '{"type":"';
const END = '"}';

/** The fields of a message. */
const FIELDS: ReadonlySet<string> = new Set(['type', 'payload', 'timestamp']);

/**
 * True for the text of a message in the form that `stringifyMessage` writes: one line of JSON with no other fields, and the type
 * first. Parses the text.
 */
export function isMessageText(text: string): boolean {
  if (!text.startsWith(START) || !text.endsWith(END) || /[\n\r]/.test(text)) return false;
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return false;
  }
  return isMessage(message) && Object.keys(message).every((name) => FIELDS.has(name));
}

/** The type in the text of a message, as JSON wrote it. It tells types apart, without parsing the text. */
export function typeIn(text: string): string {
  let end = text.indexOf('"', START.length);
  // A quote behind an odd number of backslashes belongs to the type.
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return text.slice(START.length, end);
}

function isEscaped(text: string, at: number): boolean {
  let first = at;
  while (text[first - 1] === '\\') first -= 1;
  return (at - first) % 2 === 1;
}
