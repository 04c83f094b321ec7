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
  /** Other origins that may connect, compared exactly; `*` for any. */
  readonly allowed: readonly string[] | '*';
}

/**
 * True if the page has the same origin or an origin on the list. Host and port must be equal, not similar:
 * `https://example.com.evil.net` does not match `https://example.com`. On both sides, a default port equals the same port
 * written out. Only `http:` and `https:` pages can have the same origin.
 */
export function isOriginAllowed({ origin, host, allowed }: OriginRule): boolean {
  if (origin === undefined || allowed === '*') return true;
  const from = normaliseOrigin(origin);
  if (from === undefined) return false;
  if (allowed.some((entry) => normaliseOrigin(entry) === from)) return true;
  const scheme = /^https?:\/\//.exec(from)?.[0];
  return scheme !== undefined && host !== undefined && normaliseOrigin(scheme + host) === from;
}

/**
 * True for a string that is allowed in a list of origins: scheme, host and optional port, as in
 * `https://app.example.com`, and nothing after them.
 */
export function isOrigin(value: unknown): value is string {
  return typeof value === 'string' && normaliseOrigin(value) !== undefined;
}
