import { MAX_COMMAND_ID_LENGTH, type Command, type CommandId } from '../../core/command.js';
import { ERROR_CODES, type WireError } from '../../core/error-code.js';
import { explainJsonShape, type JsonShape } from '../../core/json-shape.js';
import { RESERVED_TYPE_PREFIX } from '../../core/message.js';
import type { Push } from '../../core/push.js';
import type { Codec, Decoded } from '../../ports/codec.js';

type Fields = Readonly<Record<string, unknown>>;

/** The actions of the plain protocol, each with the reading of its fields. */
const ACTIONS = {
  subscribe: ({ topic, payload }: Fields) => text({ topic }) ?? { topic, ...carry(payload) },
  unsubscribe: ({ topic }: Fields) => text({ topic }) ?? { topic },
  message: ({ topic, type, payload }: Fields) => text({ topic, type }) ?? { topic, type, ...carry(payload) },
  cancel: ({ id }: Fields) => (id === undefined ? 'id is required: that of the message to cancel' : {}),
  auth: ({ token }: Fields) => text({ token }) ?? { token },
  ping: () => ({}),
} as const satisfies Record<Command['action'], (fields: Fields) => object | string>;

/** Names of the actions, for documents and tests. */
export const JSON_ACTIONS = Object.keys(ACTIONS) as readonly Command['action'][];

/** The plain protocol of PROTOCOL.md: one JSON object per text frame, both ways. */
export class JsonCodec implements Codec {
  constructor(private readonly shape: JsonShape) {}

  decode(frame: string): Decoded {
    let value: unknown;
    try {
      value = JSON.parse(frame);
    } catch {
      return invalid('The frame is not JSON.');
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return invalid('The frame must be a JSON object such as {"action":"ping"}.');
    }
    const fields = value as Fields;
    const { id, action } = fields;
    if (id !== undefined && !isCommandId(id)) {
      return invalid(`id must be a string of 1 to ${MAX_COMMAND_ID_LENGTH} characters or a safe integer.`);
    }
    const misshapen = explainJsonShape(value, this.shape);
    if (misshapen) return failed({ code: 'LIMIT_EXCEEDED', message: `The message ${misshapen.message}.` }, id);
    if (typeof action !== 'string') return invalid('action must be a string.', id);
    if (!Object.hasOwn(ACTIONS, action)) {
      const known = JSON_ACTIONS.join(', ');
      return failed({ code: 'UNKNOWN_ACTION', message: `There is no such action; the actions are ${known}.` }, id);
    }
    const read = ACTIONS[action as Command['action']](fields);
    if (typeof read === 'string') return invalid(`${read}.`, id, action);
    return { ok: true, command: { action, ...(id !== undefined && { id }), ...read } as Command };
  }

  encodePush(push: Push, timestamp: string): string {
    const { id, payload } = contents(push);
    return JSON.stringify({ type: RESERVED_TYPE_PREFIX + push.kind, id, payload, timestamp });
  }

  encodeMessage(message: string, topic: string | undefined): string {
    // A topic's characters need no escaping in JSON.
    return topic === undefined ? message : `${message.slice(0, -1)},"topic":"${topic}"}`;
  }
}

function contents(push: Push): { id?: CommandId; payload?: unknown } {
  switch (push.kind) {
    case 'reply':
      return { id: push.id, payload: push.payload };
    case 'error': {
      const { code, ...rest } = push.error;
      return { ...identified(push), payload: { code, retryable: ERROR_CODES[code].retryable, ...rest } };
    }
    case 'welcome':
    case 'authenticated':
    case 'expiring':
    case 'subscribed':
    case 'unsubscribed':
    case 'complete':
    case 'pong':
    case 'ping': {
      const { kind: _kind, id: _id, ...payload } = push as Push & { id?: CommandId };
      return { ...identified(push as { id?: CommandId }), ...(Object.keys(payload).length > 0 && { payload }) };
    }
  }
}

function identified({ id }: { readonly id?: CommandId }): { id?: CommandId } {
  return id === undefined ? {} : { id };
}

function isCommandId(value: unknown): value is CommandId {
  if (typeof value === 'string') return value.length > 0 && value.length <= MAX_COMMAND_ID_LENGTH;
  return Number.isSafeInteger(value);
}

/** What is wrong with fields that must be non-empty strings. */
function text(fields: Fields): string | undefined {
  const wrong = Object.keys(fields).find((name) => typeof fields[name] !== 'string' || fields[name] === '');
  return wrong === undefined ? undefined : `${wrong} must be a non-empty string`;
}

function carry(payload: unknown): { payload?: unknown } {
  return payload === undefined ? {} : { payload };
}

function invalid(message: string, id?: CommandId, action?: string): Decoded {
  return failed({ code: 'INVALID_MESSAGE', message, ...(action !== undefined && { action }) }, id);
}

function failed(error: WireError, id: CommandId | undefined): Decoded {
  return { ok: false, error, ...(id !== undefined && { id }) };
}
