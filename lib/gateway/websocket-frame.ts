import * as ws from 'ws';

/** How `ws` 8 frames data (documented as public in its source, missing from its types). */
interface FrameSender {
  frame(
    data: Buffer,
    options: { fin: boolean; opcode: number; mask: boolean; readOnly: boolean; rsv1: boolean },
  ): Buffer[];
}

const SENDER = (ws as unknown as { readonly Sender: FrameSender }).Sender;
const TEXT = 1;

/** One unmasked, uncompressed text frame (RFC 6455, 5.2), whole in one buffer that any number of sockets may write. */
export function textFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const options = { fin: true, opcode: TEXT, mask: false, readOnly: true, rsv1: false };
  return Buffer.concat(SENDER.frame(payload, options));
}
