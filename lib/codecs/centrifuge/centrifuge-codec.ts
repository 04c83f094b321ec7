import { explainJsonShape, type JsonShape } from '../../core/protocol/json-shape.js';
import type { Push } from '../../core/protocol/push.js';
import type { Codec, Decoded, DecodedBatch } from '../../ports/codec.js';
import { commandIdIn, failed, readCommand } from './command-reader.js';
import { writeHistory, writePush } from './push-writer.js';

/** The JSON form of the Centrifuge client protocol: any number of JSON objects in one text frame, one in each line. */
export class CentrifugeCodec implements Codec {
  readonly subprotocol = 'centrifuge-json';
  readonly clientOpens = true;
  readonly isStrict = true;
  readonly answersPings = true;
  readonly hasPersonalTopics = true;

  constructor(private readonly shape: JsonShape) {}

  decode(frame: string): Decoded | DecodedBatch {
    const text = frame.endsWith('\n') ? frame.slice(0, -1) : frame;
    if (!text.includes('\n')) return this.#read(text);
    return { batch: text.split('\n').map((line) => this.#read(line)) };
  }

  encodePush(push: Push, timestamp: string): string | undefined {
    if (push.kind === 'history') return writeHistory(push);
    const written = writePush(push, new Date(timestamp));
    return written && JSON.stringify(written);
  }

  encodeMessage(message: string, topic: string | undefined, offset?: number): string {
    if (topic === undefined) return `{"push":{"message":{"data":${message}}}}`;
    // A message that was written by JSON.stringify has no line breaks.
    const place = offset === undefined ? '' : `,"offset":${offset}`;
    return `{"push":{"channel":${JSON.stringify(topic)},"pub":{"data":${message}${place}}}}`;
  }

  #read(line: string): Decoded {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      return failed('a command is not JSON');
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return failed('a command must be a JSON object');
    }
    const fields = value as Readonly<Record<string, unknown>>;
    const misshapen = explainJsonShape(value, this.shape);
    if (!misshapen) return readCommand(fields);
    const id = commandIdIn(fields);
    const message = `The command ${misshapen.message}.`;
    return { ok: false, error: { code: 'LIMIT_EXCEEDED', message }, ...(id !== undefined && { id }) };
  }
}
