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
  const hash = urlOrQuery.indexOf('#');
  const withoutFragment = hash < 0 ? urlOrQuery : urlOrQuery.slice(0, hash);
  const mark = withoutFragment.indexOf('?');
  const isUrl = URL_START.test(withoutFragment);
  if (mark < 0 && isUrl) return parameters;
  const query = isUrl ? withoutFragment.slice(mark + 1) : withoutFragment;
  const add = (name: string, value: string): void => {
    if (!parameters.has(name)) parameters.set(name, value);
  };
  if (PLAIN.test(query)) addPlain(query, add);
  else for (const [name, value] of new URLSearchParams(query)) add(name, value);
  return parameters;
}

/** Splits a query that needs no decoding. */
function addPlain(query: string, add: (name: string, value: string) => void): void {
  for (let start = 0, end; start < query.length; start = end + 1) {
    const next = query.indexOf('&', start);
    end = next < 0 ? query.length : next;
    const part = query.slice(start, end);
    const mark = part.indexOf('=');
    if (mark >= 0) add(part.slice(0, mark), part.slice(mark + 1));
    else if (part !== '') add(part, '');
  }
}
