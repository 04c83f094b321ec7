/** Matches a scheme and an authority only: no user, path, wildcard or escapes (RFC 6454, 6.2). */
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^/?#@\\%*\s]+$/;

/** Returns the origin as browsers write it, or `undefined` for any other value (such as the `null` of a sandboxed frame). */
function normaliseOrigin(value: string): string | undefined {
  const text = value.toLowerCase();
  if (!ORIGIN.test(text) || !URL.canParse(text)) return undefined;
  // URL.origin is "null" for the schemes of apps and extensions, such as capacitor://localhost.
  const { protocol, host } = new URL(text);
  return `${protocol}//${host}`;
}

/** The input of the Origin check, which prevents cross-site WebSocket hijacking (CWE-1385). */
export interface OriginRule {
  /** The `Origin` header. Clients other than browsers send none and are allowed. */
  readonly origin: string | undefined;
  /** Host and port of the request: the `Host` header, or the value that a trusted proxy reports. */
  readonly host: string | undefined;
  /** True when the client is known to speak TLS, to this server or to a trusted proxy; then `http:` pages are foreign. */
  readonly isSecure?: boolean | undefined;
  /** Origins that may connect from elsewhere, compared exactly; `*` for any. */
  readonly allowed: readonly string[] | '*';
}

/**
 * Same origin, or one on the list. Host and port must be equal, so `https://example.com.evil.net` is refused.
 * A default port counts as written out, on both sides. Only `http:` and `https:` pages can be of the same origin, and only
 * `https:` ones where the client speaks TLS: whoever can change an `http:` page on its way must not act for its users.
 */
export function isOriginAllowed({ origin, host, isSecure, allowed }: OriginRule): boolean {
  if (origin === undefined || allowed === '*') return true;
  // Almost always the texts are equal as they are: parsing them as URLs would be much of what a newcomer costs.
  if (ORIGIN.test(origin) && (allowed.includes(origin) || isOriginOf(host, isSecure, origin))) return true;
  const from = normaliseOrigin(origin);
  if (from === undefined) return false;
  if (allowed.some((entry) => normaliseOrigin(entry) === from)) return true;
  const scheme = (isSecure ? /^https:\/\// : /^https?:\/\//).exec(from)?.[0];
  return scheme !== undefined && host !== undefined && normaliseOrigin(scheme + host) === from;
}

function isOriginOf(host: string | undefined, isSecure: boolean | undefined, origin: string): boolean {
  if (host === undefined) return false;
  return origin === `https://${host}` || (!isSecure && origin === `http://${host}`);
}

/**
 * True for a string that is allowed in a list of origins: scheme, host and optional port, as in
 * `https://app.example.com`, and nothing after them.
 */
export function isOrigin(value: unknown): value is string {
  return typeof value === 'string' && normaliseOrigin(value) !== undefined;
}
