/** A scheme and an authority, and nothing else: no user, no path, no wildcard, no escapes (RFC 6454, 6.2). */
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^/?#@\\%*\s]+$/;

/** The origin as browsers write it, or `undefined` for what is none (such as the `null` of a sandboxed frame). */
function normaliseOrigin(value: string): string | undefined {
  const text = value.toLowerCase();
  if (!ORIGIN.test(text) || !URL.canParse(text)) return undefined;
  // Not URL.origin: that is "null" for the schemes of apps and extensions, such as capacitor://localhost.
  const { protocol, host } = new URL(text);
  return `${protocol}//${host}`;
}

/** Answers whether a browser page may open a WebSocket here (Cross-site WebSocket hijacking, CWE-1385). */
export interface OriginRule {
  /** The `Origin` header; programs other than browsers send none, and are let through. */
  readonly origin: string | undefined;
  /** The host and port the request was sent to: `Host`, or what a trusted proxy says it was. */
  readonly host: string | undefined;
  /** Origins that may connect from elsewhere, compared exactly; `*` for any. */
  readonly allowed: readonly string[] | '*';
}

/**
 * Same origin, or one on the list. Host and port must be equal, not alike: `https://example.com.evil.net` is nobody.
 * A default port counts as written out, on both sides. Only `http:` and `https:` pages can be of the same origin.
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
 * True for a string that may stand in a list of allowed origins: scheme, host and port as in `https://app.example.com`,
 * with nothing behind them.
 */
export function isOrigin(value: unknown): value is string {
  return typeof value === 'string' && normaliseOrigin(value) !== undefined;
}
