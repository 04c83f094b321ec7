/**
 * The parameters of a URL or a bare query string, decoded; of a repeated name the first one counts. Never throws:
 * broken escapes stay as they are, and anything that is no string has no parameters.
 */
export function parseQuery(urlOrQuery: unknown): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  if (typeof urlOrQuery !== 'string') return parameters;
  const withoutFragment = urlOrQuery.split('#', 1)[0]!;
  const mark = withoutFragment.indexOf('?');
  const isUrl = withoutFragment.includes('/');
  if (mark < 0 && isUrl) return parameters;
  for (const [name, value] of new URLSearchParams(withoutFragment.slice(mark + 1))) {
    if (!parameters.has(name)) parameters.set(name, value);
  }
  return parameters;
}
