import { ownBytes } from '../../core/base/own-bytes.js';
import type { Publication } from '../../core/history/history.js';
import type { JsonShape } from '../../core/protocol/json-shape.js';
import type { Push } from '../../core/protocol/push.js';
import type { Codec, Decoded, DecodedBatch } from '../../ports/codec.js';
import { MAX_COMMANDS, TOO_MANY_COMMANDS, withBytes } from './command-batch.js';
import { failed, PONG } from './command-reader.js';
import { replyTo } from './method.js';
import { Cursor } from './protobuf/cursor.js';
import { encodeDirectMessage, encodePublication } from './protobuf/message-push.js';
import { Malformed, readMessage, type EntryBudget } from './protobuf/message-reader.js';
import { encodeDelimited, JsonText } from './protobuf/message-writer.js';
import { COMMAND, REPLY } from './protobuf/schema.js';
import { recoveredIn, writePush } from './push-writer.js';
import { readShapedCommand } from './shaped-command.js';

/** A ping is an empty reply: the length 0 alone. A pong is an empty command. */
const PONG_COMMAND: Decoded = { ...PONG, bytes: 1 };

const EMPTY_FRAME = failed('a frame is empty');
const CUT_OFF = failed('a command is longer than its frame');

/**
 * The Protobuf form of the Centrifuge client protocol: any number of commands in one binary frame, each behind its length. The
 * `bytes` fields hold JSON text. Commands and pushes are those of the JSON form.
 */
export class CentrifugeProtobufCodec implements Codec {
  readonly name = 'centrifuge-protobuf';
  readonly subprotocol = 'centrifuge-protobuf';
  readonly format = 'protobuf';
  readonly isBinary = true;
  readonly clientOpens = true;
  readonly isStrict = true;
  readonly answersPings = true;
  readonly hasPersonalTopics = true;
  readonly answersWithPublications = true;

  constructor(private readonly shape: JsonShape) {}

  decode(frame: Buffer): Decoded | DecodedBatch {
    if (frame.length === 0) return EMPTY_FRAME;
    const cursor = new Cursor(frame, 0, frame.length);
    const length = cursor.varint();
    if (length === undefined || length > frame.length - cursor.at) return CUT_OFF;
    if (cursor.at + length === frame.length) return this.#read(frame, cursor.at, frame.length, this.#budget());
    // The rest may wait, and the frame may be a part of a larger chunk.
    return { batch: this.#readAll(ownBytes(frame)) };
  }

  encodePush(push: Push, timestamp: string): Uint8Array | undefined {
    const reply = push.kind === 'history' ? historyOf(push) : replyOf(push, timestamp);
    return reply && encodeDelimited(REPLY, reply);
  }

  encodeMessage(message: string, topic: string | undefined, offset = 0, trace?: string): Uint8Array {
    return topic === undefined ? encodeDirectMessage(message) : encodePublication(message, topic, offset, trace);
  }

  /** Stops at the first error that cannot be answered, because it closes the connection. */
  *#readAll(frame: Buffer): Iterable<Decoded> {
    const cursor = new Cursor(frame, 0, frame.length);
    const budget = this.#budget();
    for (let count = 0; count < MAX_COMMANDS; count++) {
      const length = cursor.varint();
      const start = cursor.at;
      if (length === undefined || !cursor.skip(length)) return yield CUT_OFF;
      const decoded = this.#read(frame, start, cursor.at, budget);
      if (length === 0) yield PONG_COMMAND;
      else yield withBytes(decoded, length);
      if (cursor.isAtEnd || (!decoded.ok && decoded.id === undefined)) return;
    }
    yield TOO_MANY_COMMANDS;
  }

  /** The first command alone has maps, so all commands of a frame have one budget for their entries. */
  #budget(): EntryBudget {
    return { entries: this.shape.maxKeys };
  }

  #read(frame: Buffer, start: number, end: number, budget: EntryBudget): Decoded {
    if (start === end) return PONG;
    const fields = readMessage(frame, start, end, COMMAND, budget);
    if (fields instanceof Malformed) return failed(fields.reason);
    return readShapedCommand(fields, this.shape, { length: end - start });
  }
}

function historyOf({ id, top, publications }: Extract<Push, { kind: 'history' }>): object | undefined {
  if (id === undefined) return undefined;
  return { id: replyTo(id).id, history: { publications: listOf(publications), ...top } };
}

/** Returns any other push, with the recovered publications in the subscription that they belong to. */
function replyOf(push: Exclude<Push, { kind: 'history' }>, timestamp: string): object | undefined {
  const reply: Answer | undefined = writePush(push, new Date(timestamp));
  const recovered = recoveredIn(push);
  if (reply === undefined || recovered.length === 0) return reply;
  const publications = listOf(recovered);
  const { connect, subscribe } = reply;
  if (subscribe) return { ...reply, subscribe: { ...subscribe, publications } };
  // A connection has one subscription of the server's: its personal topic.
  const subs = Object.entries(connect?.subs ?? {}).map(([topic, each]) => [topic, { ...each, publications }] as const);
  return { ...reply, connect: { ...connect, subs: Object.fromEntries(subs) } };
}

/** The answers that may hold recovered publications. */
interface Answer {
  readonly connect?: { readonly subs?: Readonly<Record<string, object>> };
  readonly subscribe?: object;
}

function listOf(publications: readonly Publication[]): readonly object[] {
  return publications.map(({ offset, text }) => ({ data: new JsonText(text), offset }));
}
