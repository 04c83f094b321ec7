import { MessageForm, type Field } from './message-form.js';

// The messages of the protocol's public schema, `client.proto`, with the names and numbers of the fields that the package reads
// or writes. All other fields are skipped, like unknown ones. A `bytes` field holds JSON text.

const uint = (number: number): Field => ({ number, type: 'uint' });
const int = (number: number): Field => ({ number, type: 'int' });
const bool = (number: number): Field => ({ number, type: 'bool' });
const text = (number: number): Field => ({ number, type: 'text' });
const json = (number: number): Field => ({ number, type: 'json' });
const one = (number: number, form: MessageForm): Field => ({ number, type: 'message', form });
const list = (number: number, form: MessageForm): Field => ({ ...one(number, form), repeats: 'list' });
const map = (number: number, value: Field): Field => ({
  ...one(number, new MessageForm({ key: text(1), value })),
  repeats: 'map',
});
const form = <Name extends string>(fields: Record<Name, Field>) => new MessageForm(fields);

const NOTHING = form({});

const SUBSCRIBE_REQUEST = form({
  channel: text(1),
  token: text(2),
  recover: bool(3),
  epoch: text(6),
  offset: uint(7),
  data: json(8),
  join_leave: bool(11),
  delta: text(12),
  tf: one(13, NOTHING),
  flag: uint(14),
  type: int(15),
});
const CHANNEL_REQUEST = form({ channel: text(1) });
const STREAM_POSITION = form({ offset: uint(1), epoch: text(2) });

/** `Command`: what a client sends. */
export const COMMAND = form({
  id: uint(1),
  connect: one(4, form({ token: text(1), subs: map(3, one(2, SUBSCRIBE_REQUEST)), headers: map(6, text(2)) })),
  subscribe: one(5, SUBSCRIBE_REQUEST),
  unsubscribe: one(6, CHANNEL_REQUEST),
  publish: one(7, form({ channel: text(1), data: json(2) })),
  presence: one(8, CHANNEL_REQUEST),
  presence_stats: one(9, CHANNEL_REQUEST),
  history: one(10, form({ channel: text(1), limit: int(7), since: one(8, STREAM_POSITION), reverse: bool(9) })),
  ping: one(11, NOTHING),
  send: one(12, form({ data: json(1) })),
  rpc: one(13, form({ data: json(1), method: text(2) })),
  refresh: one(14, form({ token: text(1) })),
  sub_refresh: one(15, form({ channel: text(1), token: text(2) })),
});

const CLIENT_INFO = form({ user: text(1), client: text(2), conn_info: json(3), chan_info: json(4) });
const EXPIRY = { expires: bool(1), ttl: uint(2) };

/** `Publication`: a message that was published to a topic. */
export const PUBLICATION = form({ data: json(4), offset: uint(6), tags: map(7, text(2)) });

/** `Message`: a message that is not of a topic. */
export const MESSAGE = form({ data: json(1) });

const SUBSCRIBE_RESULT = form({
  ...EXPIRY,
  recoverable: bool(3),
  epoch: text(6),
  publications: list(7, PUBLICATION),
  recovered: bool(8),
  offset: uint(9),
  positioned: bool(10),
  data: json(11),
  was_recovering: bool(12),
});
const CONNECT_RESULT = form({
  client: text(1),
  version: text(2),
  expires: bool(3),
  ttl: uint(4),
  data: json(5),
  subs: map(6, one(2, SUBSCRIBE_RESULT)),
  ping: uint(7),
  pong: bool(8),
});

/** `Push`: what the server sends of its own accord. */
export const PUSH = form({
  channel: text(2),
  pub: one(4, PUBLICATION),
  join: one(5, form({ info: one(1, CLIENT_INFO) })),
  leave: one(6, form({ info: one(1, CLIENT_INFO) })),
  unsubscribe: one(7, form({ code: uint(2), reason: text(3) })),
  message: one(8, MESSAGE),
  subscribe: one(
    9,
    form({ recoverable: bool(1), epoch: text(4), offset: uint(5), positioned: bool(6), data: json(7) }),
  ),
});

/** `Reply`: what the server sends, pushes included. */
export const REPLY = form({
  id: uint(1),
  error: one(2, form({ code: uint(1), message: text(2), temporary: bool(3) })),
  push: one(4, PUSH),
  connect: one(5, CONNECT_RESULT),
  subscribe: one(6, SUBSCRIBE_RESULT),
  unsubscribe: one(7, NOTHING),
  publish: one(8, NOTHING),
  presence: one(9, form({ presence: map(1, one(2, CLIENT_INFO)) })),
  presence_stats: one(10, form({ num_clients: uint(1), num_users: uint(2) })),
  history: one(11, form({ publications: list(1, PUBLICATION), epoch: text(2), offset: uint(3) })),
  ping: one(12, NOTHING),
  rpc: one(13, form({ data: json(1) })),
  refresh: one(14, form({ expires: bool(3), ttl: uint(4) })),
  sub_refresh: one(15, form(EXPIRY)),
});
