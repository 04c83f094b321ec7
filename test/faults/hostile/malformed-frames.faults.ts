import { describe, expect, it } from 'vitest';
import { commandFrame, fragments, OPCODE, rawFrame } from '../../helpers/raw-frames.js';
import { NO_HARM, Scene } from '../../helpers/scene.js';

const { continuation, binary, close, ping, pong } = OPCODE;
const PING = '{"action":"ping","id":"probe"}';
const reason = (code: number, text: string | Buffer = '') => {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(code);
  return Buffer.concat([bytes, Buffer.from(text)]);
};

/** A frame that breaks RFC 6455 or a limit, and the nearest one that does not. */
const CASES: [what: string, bad: Buffer, code: number, good: Buffer][] = [
  ['not masked', rawFrame({ payload: PING, masked: false }), 1002, rawFrame({ payload: PING })],
  ['with RSV1', rawFrame({ payload: PING, rsv: 4 }), 1002, rawFrame({ payload: PING, rsv: 0 })],
  ['with RSV2', rawFrame({ payload: PING, rsv: 2 }), 1002, rawFrame({ payload: PING, rsv: 0 })],
  ['with RSV3', rawFrame({ payload: PING, rsv: 1 }), 1002, rawFrame({ payload: PING, rsv: 0 })],
  ['of a reserved kind (3)', rawFrame({ opcode: 3 }), 1002, rawFrame({ opcode: binary })],
  ['of a reserved kind (7)', rawFrame({ opcode: 7 }), 1002, rawFrame({ opcode: binary })],
  ['of a reserved control kind (11)', rawFrame({ opcode: 11 }), 1002, rawFrame({ opcode: pong })],
  ['of a reserved control kind (15)', rawFrame({ opcode: 15 }), 1002, rawFrame({ opcode: pong })],
  ['that goes on with nothing', rawFrame({ opcode: continuation }), 1002, fragments(['{', '}'])],
  [
    'that begins inside of another',
    Buffer.concat([rawFrame({ payload: '{', fin: false }), rawFrame({ payload: '}' })]),
    1002,
    fragments(['{', '}']),
  ],
  ['that is a fragmented ping', rawFrame({ opcode: ping, fin: false }), 1002, rawFrame({ opcode: ping })],
  ['that is a fragmented close', rawFrame({ opcode: close, fin: false }), 1002, rawFrame({ opcode: pong })],
  [
    'that is a ping of 126 bytes',
    rawFrame({ opcode: ping, payload: Buffer.alloc(126) }),
    1002,
    rawFrame({ opcode: ping, payload: Buffer.alloc(125) }),
  ],
  [
    'that is a pong of 64 bits of length',
    rawFrame({ opcode: pong, lengthBits: 64 }),
    1002,
    rawFrame({ opcode: pong, payload: Buffer.alloc(125) }),
  ],
  ['that claims 2^63 bytes', rawFrame({ claimedLength: 2n ** 63n }), 1009, rawFrame({ payload: 'x'.repeat(65_536) })],
  ['that claims 2^64-1 bytes', rawFrame({ claimedLength: 2n ** 64n - 1n }), 1009, rawFrame({ lengthBits: 64 })],
  ['that claims 2^53 bytes', rawFrame({ claimedLength: 2n ** 53n }), 1009, rawFrame({ lengthBits: 16 })],
  [
    'that claims a byte too many',
    rawFrame({ claimedLength: 65_537n }),
    1009,
    rawFrame({ payload: ' '.repeat(65_536) }),
  ],
  [
    'whose fragments are too big together',
    fragments(['x'.repeat(40_000), 'x'.repeat(40_000)]),
    1009,
    fragments(['x'.repeat(32_768), 'x'.repeat(32_768)]),
  ],
  ['that is no UTF-8', rawFrame({ payload: Buffer.from([0xc3, 0x28]) }), 1007, rawFrame({ payload: 'ã' })],
  [
    'that is UTF-8 but too long for its character',
    rawFrame({ payload: Buffer.from([0xc0, 0xaf]) }),
    1007,
    rawFrame({ payload: '/' }),
  ],
  [
    'that is half of a surrogate pair in UTF-8',
    rawFrame({ payload: Buffer.from([0xed, 0xa0, 0x80]) }),
    1007,
    rawFrame({ payload: Buffer.from([0xed, 0x9f, 0xbf]) }),
  ],
  [
    'that is beyond Unicode',
    rawFrame({ payload: Buffer.from([0xf4, 0x90, 0x80, 0x80]) }),
    1007,
    rawFrame({ payload: Buffer.from([0xf4, 0x8f, 0xbf, 0xbf]) }),
  ],
  [
    'that is no UTF-8 over two fragments',
    Buffer.concat([
      rawFrame({ payload: Buffer.from([0xc3]), fin: false }),
      rawFrame({ opcode: continuation, payload: Buffer.from([0x28]) }),
    ]),
    1007,
    Buffer.concat([
      rawFrame({ payload: Buffer.from([0xc3]), fin: false }),
      rawFrame({ opcode: continuation, payload: Buffer.from([0xa3]) }),
    ]),
  ],
  ['that is a close with one byte', rawFrame({ opcode: close, payload: 'x' }), 1002, rawFrame({ opcode: pong })],
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535].map((code): (typeof CASES)[number] => [
    `that is a close with the code ${code}`,
    rawFrame({ opcode: close, payload: reason(code) }),
    1002,
    rawFrame({ opcode: pong, payload: reason(code) }),
  ]),
  [
    'that is a close whose reason is no UTF-8',
    rawFrame({ opcode: close, payload: reason(1000, Buffer.from([0xff])) }),
    1007,
    rawFrame({ opcode: ping, payload: Buffer.from([0xff]) }),
  ],
];

describe('a frame', () => {
  it.each(CASES)('%s closes its socket, and nothing else', async (_what, bad, code) => {
    const scene = await Scene.set();
    const guest = await scene.raw();
    const closed = await scene.during(async () => {
      await guest.write(bad);
      return guest.closeCode();
    });
    expect([closed, await scene.harm()]).toEqual([code, NO_HARM]);
  });
});

describe('twin: a frame that is right where another is', () => {
  it.each(CASES)('%s leaves its socket open', async (_what, _bad, _code, good) => {
    const scene = await Scene.set();
    const guest = await scene.raw();
    await guest.write(Buffer.concat([good, commandFrame({ action: 'ping', id: 'after' })]));
    expect(await guest.answer('after')).toMatchObject({ type: 'realtime:pong' });
  });
});

describe('a close frame that is right', () => {
  it.each([1000, 1001, 1003, 1007, 1011, 1014, 3000, 4999])('with the code %i is answered with it', async (code) => {
    const scene = await Scene.set();
    const guest = await scene.raw();
    await guest.write(rawFrame({ opcode: close, payload: reason(code, 'bye') }));
    expect(await guest.closeCode()).toBe(code);
  });
});
