import { isTraceparent } from '../base/traceparent.js';
import { decodeAddress, encodeAddress, isUnknownAddress } from '../routing/address-text.js';
import type { Address } from '../routing/address.js';
import { CLOSE_CODES, MAX_REASON_BYTES, type CloseCodeName } from '../protocol/close-code.js';
import type { Envelope, EnvelopeContent, MessageContent, Order, StopStreamOrder } from '../routing/envelope.js';
import { explainMetadata } from '../connection/connection.js';
import type { MetadataPatch } from '../identity/metadata-patch.js';
import { isStreamPosition } from '../history/history.js';
import { explainStreamId } from '../history/stream-options.js';
import type { PresenceLink, PresenceNews } from '../presence/presence-position.js';
import { isTopic } from '../topic/topic.js';
import { isKey } from '../pace/delivery-options.js';
import { isCount } from './count.js';

/** Fields of an envelope that its frame may have, and that older nodes ignore. */
export interface EnvelopeFields {
  /** The context of the span that published it, as `traceparent` of W3C Trace Context. */
  readonly trace?: unknown;
  /** The key of a message. */
  readonly key?: unknown;
  /** 1 for a message that may be left out. */
  readonly volatile?: unknown;
}

/**
 * The rest of a frame's header, and its body: `to,except,{}]\n` and the message's text, as it is. The object has the fields of
 * {@link EnvelopeFields} that there are. Behind `except` stands the position of a publication as a list, or any content but a message as an object.
 */
export function encodeEnvelope({ to, except, content, trace }: Envelope): string {
  const optional = encodeFields(trace, content);
  const addresses = `${encodeAll(to)},${encodeAll(except)}`;
  if (content.kind !== 'message') return `${addresses},${encodeContent(content)},${optional}]\n`;
  const { position, text } = content;
  const place = position ? `["${position.epoch}",${position.offset}],` : '';
  return `${addresses},${place}${optional}]\n${text}`;
}

function encodeFields(trace: string | undefined, content: EnvelopeContent): string {
  if (content.kind === 'message' && (content.key !== undefined || content.volatile)) {
    const { key, volatile } = content;
    return JSON.stringify({ trace, key, ...(volatile && { volatile: 1 }) });
  }
  return trace === undefined ? '{}' : `{"trace":"${trace}"}`;
}

/**
 * The envelope in the rest of a frame. `unknown` when its content or an address is of a kind that this version does not know;
 * `undefined` when it is no envelope.
 * @param optional the optional fields of the frame; values of another form are ignored
 */
export function decodeEnvelope(
  [to, except, more, ...others]: readonly unknown[],
  body: string,
  { trace, key, volatile }: EnvelopeFields = {},
): Envelope | 'unknown' | undefined {
  const included = decodeAll(to);
  const excluded = decodeAll(except);
  if (!included || included.length === 0 || !excluded || others.length > 0) return undefined;
  const content = decodeContent(more, body);
  if (included === 'unknown' || excluded === 'unknown' || content === 'unknown') return content && 'unknown';
  if (content === undefined) return undefined;
  const isPaced = content.kind === 'message' && (key !== undefined || volatile !== undefined);
  const paced = isPaced
    ? { ...content, ...(isKey(key) && { key }), ...(volatile === 1 && { volatile: true as const }) }
    : content;
  return { to: included, except: excluded, content: paced, ...(isTraceparent(trace) && { trace }) };
}

function decodeContent(more: unknown, body: string): EnvelopeContent | 'unknown' | undefined {
  if (more === undefined) return decodeMessage(body);
  if (Array.isArray(more)) return decodePublication(more, body);
  if (typeof more !== 'object' || more === null) return undefined;
  const { kind } = more as Record<string, unknown>;
  if (typeof kind !== 'string') return undefined;
  if (!KNOWN_KINDS.has(kind)) return 'unknown';
  return body === '' ? (decodePresenceNews(more) ?? decodeOrder(more)) : undefined;
}

/** Everything but a message that an envelope can hold in this version. */
const KNOWN_KINDS: ReadonlySet<string> = new Set(
  Object.keys({
    joined: true,
    left: true,
    updated: true,
    disconnect: true,
    subscribe: true,
    unsubscribe: true,
    revalidate: true,
    rights: true,
    metadata: true,
    'stop-stream': true,
  } satisfies Record<Exclude<EnvelopeContent['kind'], 'message'>, true>),
);

function decodePublication([epoch, offset, ...others]: readonly unknown[], body: string): EnvelopeContent | undefined {
  const position = { epoch, offset };
  if (others.length > 0 || !isStreamPosition(position)) return undefined;
  const content = decodeMessage(body);
  return content && { ...content, position };
}

function decodePresenceNews(value: object): PresenceNews | undefined {
  const { kind, userId, info, at } = value as Record<string, unknown>;
  if (kind !== 'joined' && kind !== 'left' && kind !== 'updated') return undefined;
  if (typeof userId !== 'string' || userId === '') return undefined;
  const link = linkIn(at);
  return { kind, userId, ...(info !== undefined && { info }), ...(link && { at: link }) };
}

function encodeContent(content: PresenceNews | Order | StopStreamOrder): string {
  if (!('at' in content) || content.at === undefined) return JSON.stringify(content);
  const { epoch, sequence, previous } = content.at;
  return JSON.stringify({ ...content, at: [epoch, sequence, previous] });
}

function linkIn(value: unknown): PresenceLink | undefined {
  if (!Array.isArray(value)) return undefined;
  const [epoch, sequence, previous] = value as readonly unknown[];
  if (typeof epoch !== 'string' || !isCount(sequence) || !isCount(previous)) return undefined;
  return { epoch, sequence, previous };
}

function encodeAll(addresses: readonly Address[]): string {
  return `[${addresses.map(encodeAddress).join()}]`;
}

function decodeAll(value: unknown): Address[] | 'unknown' | undefined {
  if (!Array.isArray(value)) return undefined;
  const addresses: Address[] = [];
  let hasUnknown = false;
  for (const each of value) {
    const address = decodeAddress(each);
    if (address !== undefined) addresses.push(address);
    else if (isUnknownAddress(each)) hasUnknown = true;
    else return undefined;
  }
  return hasUnknown ? 'unknown' : addresses;
}

/** Validates the text, which goes to clients unchanged: a text without the form that codecs rely on was not written by a node. */
function decodeMessage(text: string): MessageContent | undefined {
  return text.startsWith('{"type":"') && text.endsWith('"}') ? { kind: 'message', text } : undefined;
}

function decodeOrder(value: object): Order | StopStreamOrder | undefined {
  const { kind, code, reason, topic, roles, permissions, patch, reauthorize, id } = value as Record<string, unknown>;
  switch (kind) {
    case 'disconnect':
      if (typeof code !== 'string' || !Object.hasOwn(CLOSE_CODES, code) || !isReason(reason)) return undefined;
      return { kind, code: code as CloseCodeName, reason };
    case 'subscribe':
      return isTopic(topic) ? { kind, topic } : undefined;
    case 'unsubscribe':
      return isTopic(topic) && isReason(reason) ? { kind, topic, reason } : undefined;
    case 'revalidate':
      return { kind };
    case 'rights':
      if (!isMissingOrNames(roles) || !isMissingOrNames(permissions)) return undefined;
      return { kind, ...(roles && { roles }), ...(permissions && { permissions }) };
    case 'metadata':
      if (explainMetadata(patch).length > 0 || typeof reauthorize !== 'boolean') return undefined;
      return { kind, patch: patch as MetadataPatch, reauthorize };
    case 'stop-stream':
      return isTopic(topic) && explainStreamId(id).length === 0 ? { kind, topic, id: id as string } : undefined;
    default:
      return undefined;
  }
}

function isReason(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_REASON_BYTES;
}

function isMissingOrNames(value: unknown): value is readonly string[] | undefined {
  return (
    value === undefined ||
    (Array.isArray(value) && value.every((name: unknown) => typeof name === 'string' && name.length > 0))
  );
}
