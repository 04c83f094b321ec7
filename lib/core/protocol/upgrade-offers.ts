import { NEUTRAL_SUBPROTOCOL } from '../identity/token.js';

/**
 * Returns the acceptable extensions of a `Sec-WebSocket-Extensions` header; `undefined` if there are none. Drops offers of a
 * smaller window for the server, which would need separate frames; `ws` would answer 400 instead of declining them.
 */
export function acceptableExtensions(header: string): string | undefined {
  const acceptable = header.split(',').filter((offer) => !offer.includes('server_max_window_bits'));
  return acceptable.length === 0 ? undefined : acceptable.join(',').trim();
}

/**
 * Selects a sub-protocol: that of the codec, else the neutral one; `false` if the client offers neither.
 * @param ofCodec the sub-protocol of the codec at the request's path, if it has one
 */
export function selectSubprotocol(offers: ReadonlySet<string>, ofCodec: string | undefined): string | false {
  return [ofCodec, NEUTRAL_SUBPROTOCOL].find((name) => name !== undefined && offers.has(name)) ?? false;
}

/** A codec, as an upgrade request selects it among those of its path. */
export interface SelectableCodec {
  /** Its sub-protocol. */
  readonly subprotocol?: string;
  /** Its name in the query. */
  readonly format?: string;
}

/**
 * Selects the codec of an upgrade request: the first whose sub-protocol the client offers; without such an offer the one that the
 * query names; else the first of the path. The offer outweighs the query because the server answers it with what it selected.
 * @param offers the header `Sec-WebSocket-Protocol`
 * @param target the request target
 */
export function selectCodec<C extends SelectableCodec>(
  codecs: readonly [C, ...C[]],
  offers: string | undefined,
  target: string,
): C {
  const [first] = codecs;
  if (codecs.length === 1) return first;
  const offered = (offers ?? '').split(',').map((name) => name.trim());
  const name = offered.find((each) => codecs.some(({ subprotocol }) => subprotocol === each));
  if (name !== undefined) return codecs.find(({ subprotocol }) => subprotocol === name) ?? first;
  return codecs.find(({ format }) => format !== undefined && isNamed(format, target)) ?? first;
}

/**
 * True if a query parameter names the codec. Parameters are not decoded: this runs for every request, before any check, and decoding 16 KB of
 * invalid escapes takes 2 ms.
 */
function isNamed(format: string, target: string): boolean {
  if (!target.includes(`=${format}`)) return false;
  return new RegExp(`[?&](?:cf_protocol|format)=${format}(?:[&#]|$)`).test(target);
}

/** The path of a request target, which may be an absolute URL: servers must accept those (RFC 9112, 3.2.2). */
export function pathOfTarget(target: string): string {
  const relative = target.startsWith('/') ? target : target.replace(/^https?:\/\/[^/?]*/i, '');
  const end = relative.indexOf('?');
  return end < 0 ? relative : relative.slice(0, end);
}

/** Most characters of a path in the log. */
const MAX_LOGGED_PATH = 200;

/**
 * The path of a request target for the log. The query is left out, also if its `?` is encoded or a client wrote `#` or `;`, and
 * so is any text with the shape of a JWT: it may be a token.
 */
export function loggedPathOf(target: string): string {
  const [path = ''] = pathOfTarget(target).split(/%3f|[#;]/i, 1);
  return path.slice(0, MAX_LOGGED_PATH).replaceAll(/eyJ[\w-]*(?:\.[\w-]*)*/g, '<token>');
}

/** A served path below the application's global prefix, which may begin or end with a slash. */
export function prefixedPath(prefix: string, path: string): string {
  return prefix === '' ? path : `/${prefix.replace(/^\/|\/$/g, '')}${path}`;
}
