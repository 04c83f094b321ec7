/** A path, a scheme, or a `?` with no parameter before it: what follows the first `?` is the query. */
const URL_START = /^(?:\/|[a-z][a-z0-9+.-]*:\/\/|[^=&]*\?)/i;

/** What means itself in a query, as a token does: most connections come with nothing else, and decoding costs them more. */
const PLAIN = /^[\w\-.~=&]*$/;

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
  const query = isUrl ? withoutFragment.slice(mark + 1) : withoutFragment;
  for (const [name, value] of PLAIN.test(query) ? plainPairs(query) : new URLSearchParams(query)) {
    if (!parameters.has(name)) parameters.set(name, value);
  }
  return parameters;
}

/** Each parameter of a query in which nothing is to be decoded. */
function plainPairs(query: string): [string, string][] {
  const pairs: [string, string][] = [];
  for (const part of query.split('&')) {
    const mark = part.indexOf('=');
    if (mark >= 0) pairs.push([part.slice(0, mark), part.slice(mark + 1)]);
    else if (part !== '') pairs.push([part, '']);
  }
  return pairs;
}
