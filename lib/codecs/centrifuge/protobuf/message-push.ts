import { varintBytes, writeVarint } from './backward-writer.js';
import { encodeMessage } from './message-writer.js';
import { MESSAGE, PUBLICATION, PUSH, REPLY } from './schema.js';

const REPLY_PUSH = REPLY.tagOf('push');
const [PUSH_CHANNEL, PUSH_PUB, PUSH_MESSAGE] = [PUSH.tagOf('channel'), PUSH.tagOf('pub'), PUSH.tagOf('message')];
const [PUB_DATA, PUB_OFFSET, MESSAGE_DATA] = [
  PUBLICATION.tagOf('data'),
  PUBLICATION.tagOf('offset'),
  MESSAGE.tagOf('data'),
];

/** Bytes of a tag: all fields of a push have numbers below 16. */
const TAG_BYTES = 1;

const NO_TAGS = new Uint8Array();

/**
 * Returns the push of a message, with its length before it, in one buffer of exactly its size: the sizes of nested messages are
 * calculated from the inside out, because this runs for every message that is delivered.
 * @param trace the context of its publish, as a tag, if clients are told
 */
export function encodePublication(message: string, topic: string, offset: number, trace?: string): Uint8Array {
  const dataBytes = Buffer.byteLength(message);
  const topicBytes = Buffer.byteLength(topic);
  const tags = trace === undefined ? NO_TAGS : encodeMessage(PUBLICATION, { tags: { traceparent: trace } });
  const offsetBytes = offset === 0 ? 0 : TAG_BYTES + varintBytes(offset);
  const pubBytes = delimitedBytes(dataBytes) + offsetBytes + tags.length;
  const pushBytes = delimitedBytes(topicBytes) + delimitedBytes(pubBytes);
  const bytes = bufferFor(pushBytes);
  let at = start(bytes, pushBytes);
  at = writeText(bytes, at, PUSH_CHANNEL, topic, topicBytes);
  at = writeHead(bytes, at, PUSH_PUB, pubBytes);
  at = writeText(bytes, at, PUB_DATA, message, dataBytes);
  if (offset !== 0) at = writeHead(bytes, at, PUB_OFFSET, offset);
  bytes.set(tags, at);
  return bytes;
}

/** The same of a message that was not published to a topic. */
export function encodeDirectMessage(message: string): Uint8Array {
  const dataBytes = Buffer.byteLength(message);
  const messageBytes = delimitedBytes(dataBytes);
  const pushBytes = delimitedBytes(messageBytes);
  const bytes = bufferFor(pushBytes);
  const at = writeHead(bytes, start(bytes, pushBytes), PUSH_MESSAGE, messageBytes);
  writeText(bytes, at, MESSAGE_DATA, message, dataBytes);
  return bytes;
}

function delimitedBytes(length: number): number {
  return TAG_BYTES + varintBytes(length) + length;
}

function bufferFor(pushBytes: number): Buffer {
  const replyBytes = delimitedBytes(pushBytes);
  return Buffer.allocUnsafe(varintBytes(replyBytes) + replyBytes);
}

/** Writes the length of the reply and the start of its push. */
function start(bytes: Buffer, pushBytes: number): number {
  return writeHead(bytes, writeVarint(bytes, 0, delimitedBytes(pushBytes)), REPLY_PUSH, pushBytes);
}

/** Writes a tag, and the number or the length behind it. */
function writeHead(bytes: Buffer, at: number, tag: number, value: number): number {
  bytes[at] = tag;
  return writeVarint(bytes, at + TAG_BYTES, value);
}

function writeText(bytes: Buffer, at: number, tag: number, text: string, length: number): number {
  const from = writeHead(bytes, at, tag, length);
  bytes.write(text, from);
  return from + length;
}
