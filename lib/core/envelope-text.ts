import { decodeAddress, encodeAddress } from './address-text.js';
import type { Address } from './address.js';
import { CLOSE_CODES, MAX_REASON_BYTES, type CloseCodeName } from './close-code.js';
import type { Envelope, EnvelopeContent, Order } from './envelope.js';
import { isTopic } from './topic.js';

/** The rest of a frame's header, and its body: `to,except,order]\n` and the message's text, as it is. */
export function encodeEnvelope({ to, except, content }: Envelope): string {
  const addresses = `${encodeAll(to)},${encodeAll(except)}`;
  if (content.kind === 'message') return `${addresses}]\n${content.text}`;
  return `${addresses},${JSON.stringify(content)}]\n`;
}

/** The envelope in the rest of a frame, or `undefined` when there is none. */
export function decodeEnvelope([to, except, order, ...others]: readonly unknown[], body: string): Envelope | undefined {
  const included = decodeAll(to);
  const excluded = decodeAll(except);
  if (!included || included.length === 0 || !excluded || others.length > 0) return undefined;
  const content = order === undefined ? decodeMessage(body) : body === '' ? decodeOrder(order) : undefined;
  return content && { to: included, except: excluded, content };
}

function encodeAll(addresses: readonly Address[]): string {
  return `[${addresses.map(encodeAddress).join()}]`;
}

function decodeAll(value: unknown): Address[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const addresses = value.map(decodeAddress);
  return addresses.every((address) => address !== undefined) ? addresses : undefined;
}

/** The text goes to clients as it is. What is not of the form that codecs rely on was not written by a node. */
function decodeMessage(text: string): EnvelopeContent | undefined {
  return text.startsWith('{"type":"') && text.endsWith('"}') ? { kind: 'message', text } : undefined;
}

function decodeOrder(value: unknown): Order | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { kind, code, reason, topic, roles, permissions } = value as Record<string, unknown>;
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
