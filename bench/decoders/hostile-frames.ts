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

/** A text of about {@link SIZE} characters. */
function fill(start: string, piece: string, end: string): string {
  return start + piece.repeat(Math.floor((SIZE - start.length - end.length) / piece.length)) + end;
}

function keys(): string {
  const entries = Array.from({ length: 7_500 }, (_, n) => `"${n.toString(36)}":0`);
  return `{"action":"message","topic":"a","type":"b","payload":{${entries.join()}}}`;
}
