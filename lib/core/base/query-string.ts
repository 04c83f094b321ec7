/** Matches a path, a scheme, or a `?` with no parameter before it: the query follows the first `?`. */
const URL_START = /^(?:\/|[a-z][a-z0-9+.-]*:\/\/|[^=&]*\?)/i;

/** Characters that need no decoding, as in a JWT. Most queries hold nothing else, and skipping the decoder is faster. */
const PLAIN = /^[\w\-.~=&]*$/;

/**
 * Returns the decoded parameters of a URL or a bare query string. If a name is repeated, the first one counts. Never
 * throws: broken escapes stay as they are, and a value that is not a string has no parameters. A query may itself contain
 * `/` and `?` (RFC 3986, 3.4).
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

/** Splits a query that needs no decoding. */
function plainPairs(query: string): [string, string][] {
  const pairs: [string, string][] = [];
  for (const part of query.split('&')) {
    const mark = part.indexOf('=');
    if (mark >= 0) pairs.push([part.slice(0, mark), part.slice(mark + 1)]);
    else if (part !== '') pairs.push([part, '']);
  }
  return pairs;
}
