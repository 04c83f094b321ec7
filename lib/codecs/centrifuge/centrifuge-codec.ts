import type { JsonShape } from '../../core/protocol/json-shape.js';
import type { Push } from '../../core/protocol/push.js';
import type { Codec, Decoded, DecodedBatch } from '../../ports/codec.js';
import { MAX_COMMANDS, TOO_MANY_COMMANDS, withBytes } from './command-batch.js';
import { failed, PONG } from './command-reader.js';
import { withPublications, writeHistory, writePush } from './push-writer.js';
import { readShapedCommand } from './shaped-command.js';

const PONG_LINE: Decoded = { ...PONG, bytes: 2 };

/** The JSON form of the Centrifuge client protocol: any number of JSON objects in one text frame, one per line. */
export class CentrifugeCodec implements Codec {
  readonly name = 'centrifuge';
  readonly subprotocol = 'centrifuge-json';
  readonly clientOpens = true;
  readonly isStrict = true;
  readonly answersPings = true;
  readonly hasPersonalTopics = true;
  readonly answersWithPublications = true;

  constructor(private readonly shape: JsonShape) {}

  decode(frame: string): Decoded | DecodedBatch {
    const text = frame.endsWith('\n') ? frame.slice(0, -1) : frame;
    if (!text.includes('\n')) return this.#read(text);
    return { batch: this.#readLines(text) };
  }

  encodePush(push: Push, timestamp: string): string | undefined {
    if (push.kind === 'history') return writeHistory(push);
    const written = writePush(push, new Date(timestamp));
    return written && withPublications(JSON.stringify(written), push);
  }

  encodeMessage(message: string, topic: string | undefined, offset?: number, trace?: string): string {
    if (topic === undefined) return `{"push":{"message":{"data":${message}}}}`;
    // The output of JSON.stringify contains no line breaks.
    const place = offset === undefined ? '' : `,"offset":${offset}`;
    const tags = trace === undefined ? '' : `,"tags":{"traceparent":"${trace}"}`;
    return `{"push":{"channel":${JSON.stringify(topic)},"pub":{"data":${message}${place}${tags}}}}`;
  }

  /** Stops at the first error that cannot be answered, because it closes the connection. */
  *#readLines(text: string): Iterable<Decoded> {
    let start = 0;
    for (let count = 0; count < MAX_COMMANDS; count++) {
      const end = text.indexOf('\n', start);
      const line = end < 0 ? text.slice(start) : text.slice(start, end);
      const decoded = this.#read(line);
      if (line === '{}') yield PONG_LINE;
      else yield withBytes(decoded, Buffer.byteLength(line));
      if (end < 0 || (!decoded.ok && decoded.id === undefined)) return;
      start = end + 1;
    }
    yield TOO_MANY_COMMANDS;
  }

  #read(line: string): Decoded {
    // A frame may contain 65,536 line feeds, and each exception of JSON.parse costs microseconds.
    if (line === '') return failed('a command is empty');
    if (line === '{}') return PONG;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      return failed('a command is not JSON');
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return failed('a command must be a JSON object');
    }
    return readShapedCommand(value as Readonly<Record<string, unknown>>, this.shape, line);
  }
}
