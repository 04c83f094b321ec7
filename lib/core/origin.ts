/** The scheme, host and port of a URL, or `undefined` for what is none (such as the `null` of a sandboxed frame). */
function parseOrigin(value: string): URL | undefined {
  if (!URL.canParse(value)) return undefined;
  const url = new URL(value);
  return url.host === '' || url.origin === 'null' ? undefined : url;
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
 * A default port counts as written out, on both sides.
 */
export function isOriginAllowed({ origin, host, allowed }: OriginRule): boolean {
  if (origin === undefined || allowed === '*') return true;
  const from = parseOrigin(origin);
  if (from === undefined) return false;
  if (allowed.some((entry) => parseOrigin(entry)?.origin === from.origin)) return true;
  const here = host === undefined ? undefined : parseOrigin(`${from.protocol}//${host}`);
  return here !== undefined && here.host === from.host;
}

/** True for a string that may stand in a list of allowed origins: `https://app.example.com`, with nothing behind it. */
export function isOrigin(value: unknown): value is string {
  return typeof value === 'string' && parseOrigin(value)?.origin === value.toLowerCase();
}
