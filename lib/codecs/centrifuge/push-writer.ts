import type { CommandId } from '../../core/protocol/command.js';
import type { StreamPosition } from '../../core/history/history.js';
import type { PresenceMember } from '../../core/presence/presence.js';
import type { Push } from '../../core/protocol/push.js';
import { numberedError } from './error-number.js';
import { replyTo, type ReplyTo } from './method.js';

/** Ends a subscription for good. */
const UNSUBSCRIBED = 2000;
/** Ends it until the client comes back, and says where it was. */
const INSUFFICIENT_STATE = 2500;
/** Ends it until the client comes back with a new token. */
const SUBSCRIPTION_EXPIRED = 2501;

/** A push beside those of {@link writeHistory} as what is serialised for the client, or `undefined` when this protocol does not tell it. Zero values are left out. */
export function writePush(push: Exclude<Push, { kind: 'history' }>, now: Date): object | undefined {
  switch (push.kind) {
    case 'welcome':
      return push.answers === undefined ? undefined : connected(push, replyTo(push.answers), now);
    case 'authenticated':
      return renewed(push, now);
    case 'subscribed':
      return subscribed(push, now);
    case 'unsubscribed': {
      const { id, topic, expired, reason } = push;
      if (id !== undefined) return reply(id, {});
      const code = expired ? SUBSCRIPTION_EXPIRED : UNSUBSCRIBED;
      return { push: { channel: topic, unsubscribe: { code, reason } } };
    }
    case 'joined':
      return { push: { channel: push.topic, join: { info: infoOf(push) } } };
    case 'left':
      return { push: { channel: push.topic, leave: { info: infoOf(push) } } };
    case 'presence':
      return presence(push);
    case 'reply': {
      const { id, method } = replyTo(push.id);
      return { id, [method]: method === 'rpc' ? { data: push.payload } : {} };
    }
    case 'complete':
      return reply(push.id, {});
    case 'ping':
      return {};
    case 'error':
      return failed(push);
    case 'expiring':
    case 'pong':
      return undefined;
  }
}

/** What was published is neither parsed nor written again. */
export function writeHistory({ id, top, publications }: Told<'history'>): string | undefined {
  if (id === undefined) return undefined;
  const list = publications.map(({ offset, text }) => `{"data":${text},"offset":${offset}}`).join();
  const result = `{"publications":[${list}],"offset":${top.offset},"epoch":"${top.epoch}"}`;
  return `{"id":${replyTo(id).id},"history":${result}}`;
}

type Told<K extends Push['kind']> = Extract<Push, { kind: K }>;

function connected(push: Told<'welcome'>, to: ReplyTo, now: Date): object {
  const { connectionId, expiresAt, heartbeatMs, personal } = push;
  const ping = Math.ceil(heartbeatMs / 1000);
  const expiry = to.hasToken ? expiryIn(expiresAt, now) : {};
  const subs = personal && { subs: { [personal.topic]: streamed(personal) } };
  return { id: to.id, connect: { client: connectionId, ...expiry, ping, pong: true, ...subs } };
}

function renewed({ id, expiresAt }: Told<'authenticated'>, now: Date): object | undefined {
  const to = id === undefined ? undefined : replyTo(id);
  // The first token is answered by the welcome.
  return to?.method === 'refresh' ? { id: to.id, refresh: expiryIn(expiresAt, now) } : undefined;
}

function subscribed(push: Told<'subscribed'>, now: Date): object {
  const { id, topic, position, recovered, byServer, expiresAt } = push;
  if (id === undefined) {
    // SDKs do not look for gaps. What the client began it begins again, and what the server began goes on elsewhere.
    const isLost = recovered === false && !byServer;
    const lost = { code: INSUFFICIENT_STATE, reason: 'publications were missed' };
    return { push: { channel: topic, ...(isLost ? { unsubscribe: lost } : { subscribe: positioned(position) }) } };
  }
  return reply(id, { ...streamed(push), ...expiryIn(expiresAt, now) });
}

/** Where a subscription begins, and what became of the wish to recover. */
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

function presence({ id, presence: { members, users, connections } }: Told<'presence'>): object {
  const isCount = replyTo(id).method === 'presence_stats';
  if (isCount) return reply(id, { num_clients: connections, num_users: users });
  return reply(id, { presence: Object.fromEntries(members.map((member) => [member.userId, infoOf(member)])) });
}

/** Presence is that of users here, however many connections they have: the user stands in the place of the client. */
function infoOf({ userId, info }: Pick<PresenceMember, 'userId' | 'info'>): object {
  return { user: userId, client: userId, conn_info: info };
}

function failed({ id, error }: Told<'error'>): object | undefined {
  const to = id === undefined ? undefined : replyTo(id);
  if (to === undefined) return undefined;
  // A client that may not connect is told by how the connection ends; only for an expired token does it get another one.
  if (to.method === 'connect' && error.code !== 'TOKEN_EXPIRED') return undefined;
  // An SDK whose unsubscribe fails connects anew. What cannot be the name of a topic has no subscription.
  if (to.method === 'unsubscribe' && error.code === 'VALIDATION_FAILED') return { id: to.id, unsubscribe: {} };
  return { id: to.id, error: numberedError(error, to.method) };
}

function reply(commandId: CommandId, result: object): object {
  const { id, method } = replyTo(commandId);
  return { id, [method]: result };
}

/** How long before its end a client is to bring another token, in milliseconds, and as a part of what is left. */
const MAX_LEAD_MS = 25_000;
const LEAD = 0.1;

/** Asks the client for another token in so many seconds, early enough for a second try. */
function expiryIn(expiresAt: Date | undefined, now: Date): object {
  if (expiresAt === undefined) return {};
  const leftMs = expiresAt.getTime() - now.getTime();
  const ttl = Math.floor((leftMs - Math.min(MAX_LEAD_MS, leftMs * LEAD)) / 1000);
  return { expires: true, ttl: Math.max(1, ttl) };
}
