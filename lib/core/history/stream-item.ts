import { stringifyWhole } from '../message/lost-in-json.js';

/** One item of a published stream, read once: a text to be joined with its neighbours, or any other value as JSON. */
export type StreamItem =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'value'; readonly json: string }
  | { readonly kind: 'lost'; readonly what: string };

/** Reads an item at the moment at which it was yielded; later changes of the object have no effect. `lost` says why it cannot be sent. */
export function readStreamItem(item: unknown): StreamItem {
  if (typeof item === 'string') return { kind: 'text', text: item };
  if (ArrayBuffer.isView(item) || item instanceof ArrayBuffer) return { kind: 'lost', what: BYTES };
  try {
    const { text, loss } = stringifyWhole(item);
    if (loss) return { kind: 'lost', what: `${loss.path === '' ? 'it' : `item${loss.path}`} is ${loss.what}` };
    return text === undefined ? { kind: 'lost', what: 'it is undefined' } : { kind: 'value', json: text };
  } catch (error) {
    const reason: unknown = error instanceof Error ? error.message.split('\n', 1)[0] : undefined;
    return { kind: 'lost', what: `JSON cannot represent it: ${typeof reason === 'string' ? reason : 'it throws'}` };
  }
}

const BYTES = 'it is a chunk of bytes; decode the source first, with setEncoding("utf8") or a TextDecoderStream';
