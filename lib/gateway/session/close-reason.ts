import { isProse, MAX_REASON_BYTES } from '../../core/protocol/close-code.js';

/** A text as the reason of a close frame, shortened to fit; nothing when it is not prose. */
export function asReason(text: string): string | undefined {
  if (Buffer.byteLength(text) <= MAX_REASON_BYTES) return isProse(text) ? text.trim() : undefined;
  const room = MAX_REASON_BYTES - Buffer.byteLength('…');
  const shortened = Buffer.from(text).subarray(0, room).toString();
  // A truncated character decodes as U+FFFD.
  return `${shortened.replace(/\uFFFD$/, '')}…`;
}
