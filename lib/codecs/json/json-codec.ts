import { IsoTimes } from '../../core/base/iso-times.js';
import { isTraceparent } from '../../core/base/traceparent.js';
import type { Problem } from '../../core/base/problem.js';
import { MAX_COMMAND_ID_LENGTH, type Command, type CommandId } from '../../core/protocol/command.js';
import { ERROR_CODES, errorPayload, type WireError } from '../../core/protocol/error-code.js';
import { isAskedPosition, isOffset, isStreamPosition } from '../../core/history/history.js';
import { estimatedValues, withValues } from '../../core/protocol/command-cost.js';
import { countJsonValues, type JsonShape } from '../../core/protocol/json-shape.js';
import { isUpdateRate, RATE_MESSAGE } from '../../core/pace/delivery-options.js';
import { RESERVED_TYPE_PREFIX } from '../../core/message/message.js';
import type { Push } from '../../core/protocol/push.js';
import type { Codec, Decoded } from '../../ports/codec.js';

type Fields = Readonly<Record<string, unknown>>;

/** Reads the fields of an action. Returns a command, or the text of an error. */
type Reader<A extends Command['action']> = (
  fields: Fields,
  id: CommandId | undefined,
) => Extract<Command, { action: A }> | string;

/** The actions of a client. There is no `pong`, because the WebSocket layer answers heartbeat pings. */
type JsonAction = Exclude<Command['action'], 'pong'>;

/** The actions of the plain protocol. Each creates its command as one object literal, for speed. */
const ACTIONS: { readonly [A in JsonAction]: Reader<A> } = {
  subscribe({ topic, payload, recover, last, presence, maxRateHz }, id) {
    if (!isText(topic)) return mustBeText('topic');
    if (recover !== undefined && !isAskedPosition(recover)) return mustBePosition('recover');
    if (last !== undefined && !isOffset(last)) return mustBeCount('last');
    if (presence !== undefined && typeof presence !== 'boolean') return mustBeBoolean('presence');
    if (maxRateHz !== undefined && !isUpdateRate(maxRateHz)) return `maxRateHz ${RATE_MESSAGE}`;
    return { action: 'subscribe', id, topic, payload, recover, last, presence, maxRateHz };
  },
  unsubscribe: ({ topic }, id) => (isText(topic) ? { action: 'unsubscribe', id, topic } : mustBeText('topic')),
  message({ topic, type, payload, stream }, id) {
    if (!isText(topic)) return mustBeText('topic');
    if (!isText(type)) return mustBeText('type');
    if (stream !== undefined && typeof stream !== 'boolean') return mustBeBoolean('stream');
    return { action: 'message', id, topic, type, payload, stream: stream && id !== undefined ? { id } : undefined };
  },
  history({ topic, limit, since, reverse }, id) {
    if (!isText(topic)) return mustBeText('topic');
    if (limit !== undefined && !isOffset(limit)) return mustBeCount('limit');
    if (since !== undefined && !isStreamPosition(since)) return mustBePosition('since');
    if (reverse !== undefined && typeof reverse !== 'boolean') return mustBeBoolean('reverse');
    return { action: 'history', id, topic, limit, since, reverse };
  },
  cancel: (_fields, id) =>
    id === undefined ? 'id is required: the id of the message to cancel' : { action: 'cancel', id },
  presence: ({ topic }, id) => (isText(topic) ? { action: 'presence', id, topic } : mustBeText('topic')),
  auth: ({ token }, id) => (isText(token) ? { action: 'auth', id, token } : mustBeText('token')),
  ping: (_fields, id) => ({ action: 'ping', id }),
};

/** Names of the actions, for documentation and tests. */
export const JSON_ACTIONS = Object.keys(ACTIONS) as readonly JsonAction[];

/** The plain protocol of docs/reference/protocol.md: one JSON object per text frame, both ways. */
export class JsonCodec implements Codec {
  readonly name = 'json';
  readonly #times = new IsoTimes((ms) => new Date(ms).toISOString());

  constructor(private readonly shape: JsonShape) {}

  decode(frame: string): Decoded {
    let value: unknown;
    try {
      value = JSON.parse(frame);
    } catch {
      return withValues(invalid('The frame is not JSON.'), estimatedValues(frame));
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return withValues(invalid('The frame must be a JSON object such as {"action":"ping"}.'), estimatedValues(frame));
    }
    const counted = countJsonValues(value, this.shape);
    const isCounted = typeof counted === 'number';
    const decoded = this.#read(value as Fields, isCounted ? undefined : counted.problem);
    return withValues(decoded, isCounted ? counted : estimatedValues(frame));
  }

  #read(fields: Fields, misshapen: Problem | undefined): Decoded {
    const { id, action } = fields;
    if (id !== undefined && !isCommandId(id)) {
      return invalid(`id must be a string of 1 to ${MAX_COMMAND_ID_LENGTH} characters or a safe integer.`);
    }
    if (misshapen) {
      const error: WireError = { code: 'LIMIT_EXCEEDED', message: `The message ${misshapen.message}.` };
      return { ...failed(error, id), blame: 'if-repeated' };
    }
    if (typeof action !== 'string') return invalid('action must be a string.', id);
    if (!Object.hasOwn(ACTIONS, action)) {
      const known = JSON_ACTIONS.join(', ');
      return failed({ code: 'UNKNOWN_ACTION', message: `There is no such action; the actions are ${known}.` }, id);
    }
    const command: Command | string = ACTIONS[action as JsonAction](fields, id);
    if (typeof command === 'string') return invalid(`${command}.`, id, action);
    const { trace } = fields;
    // Anything else is ignored: a client that is traced wrongly is served all the same.
    return { ok: true, command: isTraceparent(trace) ? ({ ...command, trace } as Command) : command };
  }

  encodePush(push: Push, timestamp: string): string {
    const id = 'id' in push ? push.id : undefined;
    if (push.kind === 'history') return encodeHistory(push, timestamp);
    if (push.kind === 'welcome') return this.#encodeWelcome(push, timestamp);
    // Only the payload needs JSON.stringify, which is slower with an object around the payload.
    const payload = JSON.stringify(payloadOf(push)) as string | undefined;
    const named = id === undefined ? '' : `,"id":${JSON.stringify(id)}`;
    const said = payload === undefined ? '' : `,"payload":${payload}`;
    return `{"type":"${RESERVED_TYPE_PREFIX}${push.kind}"${named}${said},"timestamp":"${timestamp}"}`;
  }

  encodeMessage(message: string, topic: string | undefined, offset?: number, trace?: string): string {
    const traced = trace === undefined ? '' : `,"trace":"${trace}"`;
    if (topic === undefined) return trace === undefined ? message : `${message.slice(0, -1)}${traced}}`;
    // A topic's characters need no escaping in JSON.
    const end = offset === undefined ? '' : `,"offset":${offset}`;
    return `${message.slice(0, -1)},"topic":"${topic}"${end}${traced}}`;
  }

  /** Crowds come back at once: a welcome is written without JSON.stringify for an object and without the text of a whole Date. */
  #encodeWelcome(
    { connectionId, userId, expiresAt, heartbeatMs, maxMessageBytes }: Extract<Push, { kind: 'welcome' }>,
    timestamp: string,
  ): string {
    const endsAt = expiresAt?.getTime() ?? NaN;
    const expiry = Number.isNaN(endsAt) ? '' : `,"expiresAt":"${this.#times.text(endsAt)}"`;
    const largest = maxMessageBytes === undefined ? '' : `,"maxMessageBytes":${maxMessageBytes}`;
    const ids = `"connectionId":${JSON.stringify(connectionId)},"userId":${JSON.stringify(userId)}`;
    const payload = `{${ids}${expiry},"heartbeatMs":${heartbeatMs}${largest}}`;
    return `{"type":"${RESERVED_TYPE_PREFIX}welcome","payload":${payload},"timestamp":"${timestamp}"}`;
  }
}

/** Lists each field: removing fields from a copy would cost more than the rest of a reply. */
function payloadOf(push: Push): unknown {
  switch (push.kind) {
    case 'reply':
      return push.payload;
    case 'error':
      return errorPayload(push.error);
    case 'authenticated':
      return { userId: push.userId, expiresAt: push.expiresAt };
    case 'expiring':
      return { expiresAt: push.expiresAt };
    case 'subscribed': {
      const { topic, position, recovered, data } = push;
      return { topic, epoch: position?.epoch, offset: position?.offset, recovered, data };
    }
    case 'history':
    case 'welcome':
      // They are written apart.
      return undefined;
    case 'unsubscribed': {
      const { topic, reason, code } = push;
      return { topic, reason, ...(code && ERROR_CODES[code].retryable && { retryable: true }) };
    }
    case 'joined':
    case 'left':
    case 'updated':
      return { topic: push.topic, userId: push.userId, info: push.info };
    case 'presence-reset':
      return { topic: push.topic };
    case 'dropped':
      return { topic: push.topic, count: push.count };
    case 'presence': {
      const { topic, users, userCount, connectionCount } = push.presence;
      return { topic, users, userCount, connectionCount };
    }
    case 'complete':
    case 'pong':
    case 'ping':
      return undefined;
  }
}

/** Writes a history. Publications are inserted as text, without parsing or serialising them again. */
function encodeHistory(
  { id, topic, top, publications, more }: Extract<Push, { kind: 'history' }>,
  timestamp: string,
): string {
  const list = publications.map(({ offset, text }) => `${text.slice(0, -1)},"offset":${offset}}`).join();
  const payload = `{"topic":"${topic}","epoch":${JSON.stringify(top.epoch)},"offset":${top.offset},"publications":[${list}]${more ? ',"more":true' : ''}}`;
  const at = id === undefined ? '' : `"id":${JSON.stringify(id)},`;
  return `{"type":"${RESERVED_TYPE_PREFIX}history",${at}"payload":${payload},"timestamp":"${timestamp}"}`;
}

function isCommandId(value: unknown): value is CommandId {
  if (typeof value === 'string') return value.length > 0 && value.length <= MAX_COMMAND_ID_LENGTH;
  return Number.isSafeInteger(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function mustBePosition(field: string): string {
  return `${field} must be an object { epoch, offset }, as received from the server`;
}

function mustBeBoolean(field: string): string {
  return `${field} must be true or false`;
}

function mustBeCount(field: string): string {
  return `${field} must be a whole number, 0 or more`;
}

function mustBeText(field: string): string {
  return `${field} must be a non-empty string`;
}

function invalid(message: string, id?: CommandId, action?: string): Decoded {
  return failed({ code: 'INVALID_MESSAGE', message, ...(action !== undefined && { action }) }, id);
}

function failed(error: WireError, id: CommandId | undefined): Extract<Decoded, { ok: false }> {
  return { ok: false, error, ...(id !== undefined && { id }) };
}
