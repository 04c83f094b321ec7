import type { CommandId } from '../../core/protocol/command.js';
import type { Publication, StreamPosition } from '../../core/history/history.js';
import type { PresenceMember } from '../../core/presence/presence.js';
import type { Push } from '../../core/protocol/push.js';
import { errorPayload } from '../../core/protocol/error-code.js';
import { RESERVED_TYPE_PREFIX } from '../../core/message/message.js';
import { INSUFFICIENT_STATE, numberedError, UNRECOVERABLE, unsubscribeNumber } from './error-number.js';
import { replyTo, streamIn, type ReplyTo } from './method.js';
import { SERVER_VERSION } from './server-version.js';

/** Returns a push other than a history as an object to serialise, or `undefined` if this protocol has no frame for it. Zero values are omitted. */
export function writePush(push: Exclude<Push, { kind: 'history' }>, now: Date): object | undefined {
  switch (push.kind) {
    case 'welcome':
      return push.answers === undefined ? undefined : connected(push, replyTo(push.answers), now);
    case 'authenticated':
      return renewed(push, now);
    case 'subscribed':
      return subscribed(push, now);
    case 'unsubscribed': {
      const { id, topic, code, reason } = push;
      if (id !== undefined) return reply(id, {});
      return { push: { channel: topic, unsubscribe: { code: unsubscribeNumber(code), reason } } };
    }
    case 'joined':
    case 'updated':
      return { push: { channel: push.topic, join: { info: infoOf(push) } } };
    case 'left':
      return { push: { channel: push.topic, leave: { info: infoOf(push) } } };
    case 'presence-reset': {
      // An SDK subscribes again, and says so: the application then asks who is there.
      const lost = { code: INSUFFICIENT_STATE, reason: 'presence was missed' };
      return { push: { channel: push.topic, unsubscribe: lost } };
    }
    case 'dropped': {
      const { topic, count } = push;
      return said('dropped', now, { payload: { topic, count } });
    }
    case 'presence':
      return presence(push);
    case 'reply': {
      const stream = streamIn(push.id);
      if (stream !== undefined) return told('reply', stream, now, push.payload);
      const { id, method } = replyTo(push.id);
      return { id, [method]: method === 'rpc' ? { data: push.payload } : {} };
    }
    case 'complete': {
      const stream = streamIn(push.id);
      return stream === undefined ? reply(push.id, {}) : told('complete', stream, now);
    }
    case 'ping':
      return {};
    case 'error': {
      const stream = streamIn(push.id);
      return stream === undefined ? failed(push) : told('error', stream, now, errorPayload(push.error));
    }
    case 'expiring':
    case 'pong':
      return undefined;
  }
}

/** Writes a history. Publications are inserted as text, without parsing or serialising them again. */
export function writeHistory({ id, top, publications }: Told<'history'>): string | undefined {
  if (id === undefined) return undefined;
  const result = `{"publications":${listOf(publications)},"offset":${top.offset},"epoch":${JSON.stringify(top.epoch)}}`;
  return `{"id":${replyTo(id).id},"history":${result}}`;
}

/**
 * Inserts the recovered publications of a push into its text, without parsing or serialising them again.
 * @param text the push as JSON; the subscription that the publications belong to comes last in it
 */
export function withPublications(text: string, push: Push): string {
  const publications = recoveredIn(push);
  if (publications.length === 0) return text;
  const end = push.kind === 'welcome' ? WELCOME_END : SUBSCRIBED_END;
  return `${text.slice(0, -end.length)},"publications":${listOf(publications)}${end}`;
}

/** Returns the recovered publications of a push. */
export function recoveredIn(push: Push): readonly Publication[] {
  const subscription = push.kind === 'welcome' ? push.personal : push.kind === 'subscribed' ? push : undefined;
  return subscription?.publications ?? [];
}

/** What follows the fields of the subscription in `{"id":…,"connect":{…,"subs":{"…":{…}}}}`. */
const WELCOME_END = '}}}}';
/** The same in `{"id":…,"subscribe":{…}}`. */
const SUBSCRIBED_END = '}}';

function listOf(publications: readonly Publication[]): string {
  return `[${publications.map(({ offset, text }) => `{"data":${text},"offset":${offset}}`).join()}]`;
}

type Told<K extends Push['kind']> = Extract<Push, { kind: K }>;

function connected(push: Told<'welcome'>, to: ReplyTo, now: Date): object {
  const { connectionId, expiresAt, heartbeatMs, personal } = push;
  const ping = Math.ceil(heartbeatMs / 1000);
  const expiry = to.hasToken ? expiryIn(expiresAt, now) : {};
  const subs = personal && { subs: { [personal.topic]: streamed(personal) } };
  const version = SERVER_VERSION;
  return { id: to.id, connect: { client: connectionId, version, ...expiry, ping, pong: true, ...subs } };
}

function renewed({ id, expiresAt }: Told<'authenticated'>, now: Date): object | undefined {
  const to = id === undefined ? undefined : replyTo(id);
  // The welcome answers the first token.
  return to?.method === 'refresh' ? { id: to.id, refresh: expiryIn(expiresAt, now) } : undefined;
}

function subscribed(push: Told<'subscribed'>, now: Date): object {
  const { id, topic, position, recovered, byServer, data, expiresAt } = push;
  if (id === undefined) {
    // SDKs do not detect gaps. A client-side subscription is restarted; a server-side one continues at a new position.
    const isLost = recovered === false && !byServer;
    const lost = { code: INSUFFICIENT_STATE, reason: 'publications were missed' };
    return { push: { channel: topic, ...(isLost ? { unsubscribe: lost } : { subscribe: positioned(position) }) } };
  }
  if (push.isRefused) return { id: replyTo(id).id, error: UNRECOVERABLE };
  return reply(id, { ...streamed(push), ...expiryIn(expiresAt, now), data });
}

/** Returns the start position of a subscription, and the result of a recovery. */
function streamed({ position, recovered }: Pick<Told<'subscribed'>, 'position' | 'recovered'>): object {
  return {
    ...positioned(position),
    ...(recovered !== undefined && { was_recovering: true }),
    ...(recovered && { recovered }),
  };
}

function positioned(position: StreamPosition | undefined): object {
  if (position === undefined) return {};
  const { epoch, offset } = position;
  return { recoverable: true, positioned: true, epoch, ...(offset > 0 && { offset }) };
}

function presence({ id, presence: { users, userCount, connectionCount } }: Told<'presence'>): object {
  const isCount = replyTo(id).method === 'presence_stats';
  if (isCount) return reply(id, { num_clients: connectionCount, num_users: userCount });
  return reply(id, { presence: Object.fromEntries(users.map((member) => [member.userId, infoOf(member)])) });
}

/** Presence counts users, not connections, so the user id takes the place of the client id. */
function infoOf({ userId, info }: Pick<PresenceMember, 'userId' | 'info'>): object {
  return { user: userId, client: userId, conn_info: info };
}

/** Returns what SDKs have no frame for, as a message to the connection. */
function told(kind: 'reply' | 'complete' | 'error', id: number, now: Date, payload?: unknown): object {
  return said(kind, now, { id, payload });
}

function said(kind: Push['kind'], now: Date, fields: { readonly id?: number; readonly payload?: unknown }): object {
  const data = { type: `${RESERVED_TYPE_PREFIX}${kind}`, ...fields, timestamp: now.toISOString() };
  return { push: { message: { data } } };
}

function failed({ id, error }: Told<'error'>): object | undefined {
  const to = id === undefined ? undefined : replyTo(id);
  if (to === undefined) return undefined;
  // A refused connect is answered by the close code, except for an expired token, which the SDK replaces.
  if (to.method === 'connect' && error.code !== 'TOKEN_EXPIRED') return undefined;
  // An SDK reconnects if an unsubscribe fails. An invalid topic name has no subscription, so success is reported.
  if (to.method === 'unsubscribe' && error.code === 'VALIDATION_FAILED') return { id: to.id, unsubscribe: {} };
  return { id: to.id, error: numberedError(error, to.method) };
}

function reply(commandId: CommandId, result: object): object {
  const { id, method } = replyTo(commandId);
  return { id, [method]: result };
}

/** Lead time for a token renewal: at most this many milliseconds, and at most this fraction of the remaining time. */
const MAX_LEAD_MS = 25_000;
const LEAD = 0.1;

/** Tells the client to renew its token in `ttl` seconds, early enough for a second attempt. */
function expiryIn(expiresAt: Date | undefined, now: Date): object {
  if (expiresAt === undefined) return {};
  const leftMs = expiresAt.getTime() - now.getTime();
  const ttl = Math.floor((leftMs - Math.min(MAX_LEAD_MS, leftMs * LEAD)) / 1000);
  return { expires: true, ttl: Math.max(1, ttl) };
}
