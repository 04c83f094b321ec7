import type { Command, CommandId } from '../../core/protocol/command.js';
import type { ErrorCode } from '../../core/protocol/error-code.js';
import { isOffset, isStreamPosition, type StreamPosition } from '../../core/history/history.js';
import { RESERVED_TYPE_PREFIX } from '../../core/message/message.js';
import { tokenFromAuthorization } from '../../core/identity/token.js';
import type { Decoded } from '../../ports/codec.js';
import { commandIdOf, METHODS, streamIdOf, type Method } from './method.js';

type Fields = Readonly<Record<string, unknown>>;

/** A proper request that is answered with an error, which is no violation. */
class Refusal {
  constructor(
    readonly code: ErrorCode,
    readonly message: string,
  ) {}
}

/** A command, a refusal, or the reason for closing the connection. */
type Reading = Command | Refusal | string;

/** Reads the fields of a method's request. */
type Reader = (request: Fields, id: number) => Reading;

const NO_CALL = new Refusal('UNKNOWN_ACTION', 'Calls go to a topic: the data must be {"topic":"…","payload":…}.');

const NOT_AVAILABLE = new Refusal('UNKNOWN_ACTION', 'Not available here.');

const READERS: Readonly<Record<Method, Reader>> = {
  connect({ token, headers, subs }, id) {
    if (!isTextOrMissing(token)) return 'the token must be a string';
    const found = token || tokenFromAuthorization(authorizationIn(headers));
    const commandId = commandIdOf('connect', id, found !== undefined);
    const recover = positionsIn(subs);
    return { action: 'auth', id: commandId, token: found ?? '', stage: 'opening', ...(recover && { recover }) };
  },
  refresh({ token }, id) {
    if (!isText(token)) return 'the token must be a string that is not empty';
    return { action: 'auth', id: commandIdOf('refresh', id), token, stage: 'renewal' };
  },
  subscribe({ channel, token, data, type = 0, tf, flag, delta = '', join_leave: wantsPresence, ...position }, id) {
    if (!isText(channel)) return NO_CHANNEL;
    if (delta !== '' && delta !== 'fossil') return 'there is no such type of delta';
    if (!isTextOrMissing(token)) return 'the token must be a string';
    if (type !== 0) return NOT_AVAILABLE;
    if (tf !== undefined) return new Refusal('VALIDATION_FAILED', 'Publications cannot be filtered.');
    const commandId = commandIdOf('subscribe', id);
    return {
      action: 'subscribe',
      id: commandId,
      topic: channel,
      payload: data,
      ...(token && { token }),
      ...(wantsPresence === true && { presence: 'if-kept' as const }),
      ...(position['recover'] === true && { recover: positionIn(position) }),
      ...(hasFlag(flag, REJECT_UNRECOVERED) && { rejectsLoss: true }),
    };
  },
  sub_refresh({ channel, token }, id) {
    if (!isText(channel)) return NO_CHANNEL;
    if (!isText(token)) return new Refusal('VALIDATION_FAILED', 'A token is required.');
    return { action: 'subscribe', id: commandIdOf('sub_refresh', id), topic: channel, token, renews: true };
  },
  unsubscribe({ channel }, id) {
    if (!isText(channel)) return NO_CHANNEL;
    return { action: 'unsubscribe', id: commandIdOf('unsubscribe', id), topic: channel };
  },
  publish({ channel, data }, id) {
    if (!isText(channel)) return NO_CHANNEL;
    const { type, payload } = fieldsOf(data);
    if (!isText(type)) return new Refusal('VALIDATION_FAILED', 'The data must be {"type":"…","payload":…}.');
    return { action: 'message', id: commandIdOf('publish', id), topic: channel, type, payload, single: true };
  },
  rpc({ method, data }, id) {
    const { topic, payload, stream } = fieldsOf(data);
    if (!isText(method)) return new Refusal('VALIDATION_FAILED', 'The method must name a type of message.');
    if (method === CANCEL) return cancelOf(data, commandIdOf('rpc', id));
    if (!isText(topic)) return NO_CALL;
    const message = { action: 'message', id: commandIdOf('rpc', id), topic, type: method, payload } as const;
    if (stream !== true) return { ...message, single: true };
    return { ...message, stream: { id: streamIdOf(id), accepted: { stream: id } } };
  },
  send({ data }) {
    const { topic, type, payload } = fieldsOf(data);
    if (!isText(topic) || !isText(type)) return 'the data must be {"topic":"…","type":"…","payload":…}';
    return { action: 'message', topic, type, payload, single: true };
  },
  presence: ({ channel }, id) => presenceOf(channel, commandIdOf('presence', id)),
  presence_stats: ({ channel }, id) => presenceOf(channel, commandIdOf('presence_stats', id)),
  history({ channel, limit = 0, since, reverse = false }, id) {
    if (!isText(channel)) return NO_CHANNEL;
    if (limit !== ALL && !isOffset(limit)) return new Refusal('VALIDATION_FAILED', 'The limit must be -1, 0 or more.');
    const { epoch = '', offset = 0 } = fieldsOf(since);
    if (typeof epoch !== 'string' || !isOffset(offset) || (reverse === true && isFields(since) && offset === 0)) {
      return new Refusal('VALIDATION_FAILED', 'The position to read from must be {"epoch":"…","offset":…}.');
    }
    return {
      action: 'history',
      id: commandIdOf('history', id),
      topic: channel,
      ...(limit !== ALL && { limit }),
      ...(isFields(since) && { since: { epoch, offset } }),
      ...(reverse === true && { reverse }),
    };
  },
  ping: () => NOT_AVAILABLE,
};

/** The method of a call that cancels a stream. */
const CANCEL = `${RESERVED_TYPE_PREFIX}cancel`;

function cancelOf(data: unknown, answers: CommandId): Reading {
  const id = idIn({ id: fieldsOf(data)['id'] });
  if (!id) return new Refusal('VALIDATION_FAILED', 'The data must be {"id":…}, with the id of a stream.');
  return { action: 'cancel', id: streamIdOf(id), answers };
}

function presenceOf(channel: unknown, id: CommandId): Reading {
  return isText(channel) ? { action: 'presence', id, topic: channel } : NO_CHANNEL;
}

/** Reads a command. An error that cannot be answered closes the connection. */
export function readCommand(fields: Fields): Decoded {
  const method = methodIn(fields);
  const id = idIn(fields);
  if (method !== 'send' && id === 0) return PONG;
  if (id === undefined) return failed('the id must be a whole number of at most 32 bits');
  if (method === undefined) return failed('there is no such method');
  const request = fields[method];
  if (!isFields(request)) return failed(`${method} must be an object`);
  const reading = READERS[method](withoutNulls(request), id);
  if (typeof reading === 'string') return failed(reading);
  if (!(reading instanceof Refusal)) return { ok: true, command: reading };
  const { code, message } = reading;
  return { ok: false, id: commandIdOf(method, id), error: { code, message }, blame: 'never' };
}

function methodIn(fields: Fields): Method | undefined {
  return METHODS.find((name) => fields[name] !== undefined && fields[name] !== null);
}

/** Returns the id for an error that answers the command in these fields, or `undefined` if it cannot be answered. */
export function commandIdIn(fields: Fields): CommandId | undefined {
  const method = methodIn(fields);
  const id = idIn(fields);
  return method === undefined || method === 'send' || !id ? undefined : commandIdOf(method, id);
}

/** Returns an error without an id, which is the reason for a close. */
export function failed(message: string): Decoded {
  return { ok: false, error: { code: 'INVALID_MESSAGE', message } };
}

const NO_CHANNEL = 'the channel must be a string that is not empty';

/** The answer of a client to a ping: an object without fields. */
export const PONG: Extract<Decoded, { ok: true }> = { ok: true, command: { action: 'pong' } };

const MAX_ID = 0xffff_ffff;

/** Returns the id, 0 if it is missing, or `undefined` if it is invalid. */
function idIn({ id = 0 }: Fields): number | undefined {
  return typeof id === 'number' && Number.isInteger(id) && id >= 0 && id <= MAX_ID ? id : undefined;
}

/** A history limit with which the client sets no limit of its own. */
const ALL = -1;

/** The flag of a client that wants error 112 instead of a subscription in which something is missing. */
const REJECT_UNRECOVERED = 2;

function hasFlag(flags: unknown, flag: number): boolean {
  return typeof flags === 'number' && (flags & flag) !== 0;
}

/** A position in no history, because no epoch has this name: recovery from it always fails, and the client is told so. */
const NOWHERE: StreamPosition = { epoch: '?', offset: 0 };

/** Reads a position. An empty epoch stands for the current one. */
function positionIn({ epoch = '', offset = 0 }: Fields): StreamPosition {
  const position = { epoch, offset };
  if (epoch === '' && isOffset(offset)) return { epoch, offset };
  return isStreamPosition(position) ? position : NOWHERE;
}

/** Returns the last known positions in server-side subscriptions, if the client requests recovery. */
function positionsIn(subs: unknown): ReadonlyMap<string, StreamPosition> | undefined {
  const left = Object.entries(fieldsOf(subs)).flatMap(([channel, sub]) => {
    const fields = fieldsOf(sub);
    return fields['recover'] === true ? [[channel, positionIn(fields)] as const] : [];
  });
  return left.length === 0 ? undefined : new Map(left);
}

/** Returns the header from the list that an SDK sends in its first command, because browsers cannot set request headers. */
function authorizationIn(headers: unknown): string | undefined {
  const [, value] = Object.entries(fieldsOf(headers)).find(([name]) => name.toLowerCase() === 'authorization') ?? [];
  return typeof value === 'string' ? value : undefined;
}

function hasNull(request: Fields): boolean {
  // A list of the values would cost more than the rest of the command.
  for (const name in request) if (request[name] === null) return true;
  return false;
}

/** Drops null fields: some clients write null for an omitted field. */
function withoutNulls(request: Fields): Fields {
  if (!hasNull(request)) return request;
  return Object.fromEntries(Object.entries(request).filter(([, value]) => value !== null));
}

function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isTextOrMissing(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}
