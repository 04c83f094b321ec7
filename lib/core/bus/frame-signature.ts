import type { BusFrame, UnknownFrame } from './bus-frame.js';
import { subjectOf } from './subject.js';

/** The length of a signature: 32 bytes in base64url. */
export const SIGNATURE_LENGTH = 43;

/** The field of a signature, up to its value. It is the last of the optional fields. */
const FIELD = '"sig":"';

/** The length of the field, with its value and the closing quote. */
const FIELD_LENGTH = FIELD.length + SIGNATURE_LENGTH + 1;

/** A frame's text without its signature, and the signature; `undefined` if it has none. */
export interface SignedText {
  readonly text: string;
  readonly signature: string | undefined;
}

/** Writes a signature into a frame's text that has none, behind its other optional fields. */
export function withSignature(text: string, signature: string): string {
  // The header ends with the object of optional fields, `{}]\n`.
  const at = text.indexOf('\n') - 2;
  return `${text.slice(0, at)}${text[at - 1] === '{' ? '' : ','}${FIELD}${signature}"${text.slice(at)}`;
}

/** Takes the signature out of a frame's text. */
export function splitSignature(text: string): SignedText {
  const at = text.indexOf('\n') - 2;
  const start = at - FIELD_LENGTH;
  if (start < 1 || !text.startsWith(FIELD, start)) return { text, signature: undefined };
  const before = text.slice(0, text[start - 1] === ',' ? start - 1 : start);
  return { text: before + text.slice(at), signature: text.slice(start + FIELD.length, at - 1) };
}

/**
 * The text that is signed: the channel, and the frame as its node has written it. Redis adds the position of a publication, so
 * the signature does not cover it; but it covers that there is one.
 * @param text a frame without a signature, with or without a position
 * @param isPublication true for a message that is kept in a history
 * @param position the position in the text, if it has one
 * @returns `undefined` if the position is not written as Redis writes it
 */
export function textToSign(
  channel: string,
  text: string,
  isPublication: boolean,
  position?: { readonly epoch: string; readonly offset: number },
): string | undefined {
  const start = `${isPublication ? 'p' : 'f'}${channel.length}:${channel}`;
  if (position === undefined) return start + text;
  const inserted = `,["${position.epoch}",${position.offset}]`;
  const at = text.lastIndexOf(`${inserted},{`, text.indexOf('\n'));
  return at < 0 ? undefined : start + text.slice(0, at) + text.slice(at + inserted.length);
}

/**
 * True for the news of presence, which a script composes in Redis, so that no node signs it: it goes to one topic on the channel
 * of that topic, wants no report, and is numbered by the epoch that it names.
 */
export function isUnsignedByNature(frame: BusFrame | UnknownFrame, channel: string): boolean {
  if (frame.kind !== 'envelope' || frame.wantsReport) return false;
  const { to, except, content } = frame.envelope;
  if (content.kind !== 'joined' && content.kind !== 'left' && content.kind !== 'updated') return false;
  const [address, ...others] = to;
  return (
    address?.kind === 'topic' &&
    others.length + except.length === 0 &&
    channel.endsWith(`:${subjectOf(address)}`) &&
    content.at?.epoch === frame.origin &&
    content.at.sequence === frame.sequence
  );
}
