/** A path, a scheme, or a `?` with no parameter before it: what follows the first `?` is the query. */
const URL_START = /^(?:\/|[a-z][a-z0-9+.-]*:\/\/|[^=&]*\?)/i;

/**
 * The parameters of a URL or a bare query string, decoded; of a repeated name the first one counts. Never throws:
 * broken escapes stay as they are, and anything that is no string has no parameters. A query may itself hold `/` and
 * `?` (RFC 3986, 3.4).
 */
export function parseQuery(urlOrQuery: unknown): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  if (typeof urlOrQuery !== 'string') return parameters;
  const withoutFragment = urlOrQuery.split('#', 1)[0]!;
  const mark = withoutFragment.indexOf('?');
  const isUrl = URL_START.test(withoutFragment);
  if (mark < 0 && isUrl) return parameters;
  for (const [name, value] of new URLSearchParams(isUrl ? withoutFragment.slice(mark + 1) : withoutFragment)) {
    if (!parameters.has(name)) parameters.set(name, value);
  }
  return parameters;
}
