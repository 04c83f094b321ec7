import { encodeDelimited } from '../../lib/codecs/centrifuge/protobuf/message-writer.js';
import { COMMAND } from '../../lib/codecs/centrifuge/protobuf/schema.js';

/** A frame that a hostile client may send: as large as `maxMessageBytes` allows, built to be dear to decode. */
export interface HostileFrame {
  readonly name: string;
  readonly text: string;
}

const SIZE = 65_536;

const RECORD = '{"id":"7f3a","name":"Ann","at":1732348800,"tags":["a","b"],"place":{"x":1.5,"y":-2}}';

/** The frame that the others are compared with: legal JSON of the same size, a message with a list of small records. */
export const LEGAL = fill(`{"action":"message","topic":"a","type":"b","payload":[${RECORD}`, `,${RECORD}`, ']}');

/** Frames of the size of {@link LEGAL}, and of the most expensive kinds that are known. */
export const HOSTILE_FRAMES: readonly HostileFrame[] = [
  { name: 'line feeds', text: '\n'.repeat(SIZE) },
  { name: 'spaces and line feeds', text: ' \n'.repeat(SIZE / 2) },
  { name: 'lines of an opening brace', text: '{\n'.repeat(SIZE / 2) },
  { name: 'empty objects, one a line', text: '{}\n'.repeat(SIZE / 3) },
  { name: 'pings that are refused', text: '{"id":1,"ping":{}}\n'.repeat(SIZE / 19) },
  { name: 'subscriptions', text: '{"id":1,"subscribe":{"channel":"a"}}\n'.repeat(SIZE / 37) },
  { name: 'nested lists', text: '['.repeat(SIZE / 2) + ']'.repeat(SIZE / 2) },
  { name: 'lists that are not closed', text: '['.repeat(SIZE) },
  {
    name: 'empty lists in a list',
    text: fill('{"action":"message","topic":"a","type":"b","payload":[[]', ',[]', ']}'),
  },
  {
    name: 'empty objects in lists',
    text: fill('{"id":1,"rpc":{"method":"a","data":{"topic":"a","payload":[{}', ',{}', ']}}}'),
  },
  { name: 'short keys', text: keys() },
  { name: 'escapes', text: fill('{"action":"message","topic":"a","type":"b","payload":"', '\\u0000', '"}') },
  { name: 'an id of 64 KB', text: fill('{"id":"', 'x', '"}') },
  { name: 'digits', text: fill('{"id":', '1', '}') },
  { name: 'an action that does not exist', text: fill('{"action":"', 'x', '"}') },
];

/** The same for the Protobuf form. */
export interface HostileBytes {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Frames of the size of {@link LEGAL}, of bytes that are cheap to send and may be expensive to read. */
export const HOSTILE_BYTES: readonly HostileBytes[] = [
  { name: 'empty commands', bytes: Buffer.alloc(SIZE) },
  { name: 'commands without a method', bytes: repeated(Buffer.of(2, 8, 1)) },
  { name: 'pings that are refused', bytes: repeated(commandOf({ id: 1, ping: {} })) },
  { name: 'subscriptions', bytes: repeated(commandOf({ id: 1, subscribe: { channel: 'a' } })) },
  { name: 'calls with small data', bytes: repeated(commandOf({ id: 1, rpc: { method: 'a', data: 1 } })) },
  { name: 'first commands with empty headers', bytes: repeated(inConnect(Buffer.of(0x32, 0), 900)) },
  {
    name: 'first commands with short headers',
    bytes: repeated(inConnect(Buffer.of(0x32, 6, 0x0a, 1, 0x61, 0x12, 1, 0x62), 900)),
  },
  {
    name: 'first commands with short positions',
    bytes: repeated(inConnect(Buffer.of(0x1a, 7, 0x0a, 1, 0x61, 0x12, 2, 0x18, 1), 900)),
  },
  { name: 'one field again and again', bytes: inCommand(repeated(Buffer.of(0x0a, 1, 0x61), SIZE - 16), 0x32) },
  { name: 'one request again and again', bytes: delimited(repeated(Buffer.of(0x32, 0), SIZE - 8)) },
  { name: 'unknown numbers', bytes: delimited(repeated(Buffer.of(0xf8, 0x01, 0), SIZE - 8)) },
  { name: 'unknown texts', bytes: delimited(repeated(Buffer.of(0xfa, 0x01, 0), SIZE - 8)) },
  { name: 'long numbers', bytes: delimited(repeated(Buffer.from('08ffffffffffffffffff01', 'hex'), SIZE - 8)) },
  {
    name: 'a text of what is no character',
    bytes: commandOf({ id: 1, presence: { channel: '\ufffd'.repeat(21_800) } }),
  },
  { name: 'a text that ends in a byte that is not UTF-8', bytes: brokenText() },
  { name: 'lists that are not closed, as data', bytes: inCommand(dataOf('['.repeat(SIZE - 16)), 0x6a) },
  {
    name: 'empty lists in a list, as data',
    bytes: commandOf({ id: 1, rpc: { data: Array(21_000).fill([]) as unknown } }),
  },
];

function commandOf(command: object): Buffer {
  return Buffer.from(encodeDelimited(COMMAND, command));
}

/** A message with its length before it. */
function delimited(message: Buffer): Buffer {
  return Buffer.concat([lengthOf(message), message]);
}

/** A command whose request, with this tag, has these fields. */
function inCommand(fields: Buffer, tag: number): Buffer {
  return delimited(Buffer.concat([Buffer.of(tag), delimited(fields)]));
}

/** A first command with as many entries in a map. */
function inConnect(entry: Buffer, count: number): Buffer {
  return delimited(
    Buffer.concat([Buffer.of(8, 1, 0x22), delimited(Buffer.concat(Array.from({ length: count }, () => entry)))]),
  );
}

function dataOf(text: string): Buffer {
  return Buffer.concat([Buffer.of(0x0a), delimited(Buffer.from(text))]);
}

function brokenText(): Buffer {
  const text = Buffer.alloc(SIZE - 16, 0x61);
  text[text.length - 1] = 0xff;
  return inCommand(Buffer.concat([Buffer.of(0x0a), delimited(text)]), 0x32);
}

function repeated(piece: Buffer, size = SIZE): Buffer {
  return Buffer.concat(Array.from({ length: Math.floor(size / piece.length) }, () => piece));
}

/** The length of a message as a varint of three bytes. */
function lengthOf({ length }: Buffer): Buffer {
  return Buffer.of((length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, length >> 14);
}

/** A text of about {@link SIZE} characters. */
function fill(start: string, piece: string, end: string): string {
  return start + piece.repeat(Math.floor((SIZE - start.length - end.length) / piece.length)) + end;
}

function keys(): string {
  const entries = Array.from({ length: 7_500 }, (_, n) => `"${n.toString(36)}":0`);
  return `{"action":"message","topic":"a","type":"b","payload":{${entries.join()}}}`;
}
