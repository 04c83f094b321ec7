import { posix } from 'node:path';

/**
 * Returns the links of pages that lead nowhere, as `page → target`.
 * @param pages the HTML of each page, by its path below the site
 * @param files the paths of everything that the site has
 */
export function brokenLinks(pages: ReadonlyMap<string, string>, files: ReadonlySet<string>): string[] {
  const ids = new Map(Array.from(pages, ([path, html]) => [path, new Set(matches(html, /\sid="([^"]+)"/g))]));
  const broken = Array.from(pages).flatMap(([page, html]) =>
    matches(html, /\s(?:href|src)="([^"]+)"/g)
      .filter((link) => !/^(https?|data|mailto):/.test(link))
      .map((link) => targetOf(page, link))
      .filter(({ path, anchor }) => !files.has(path) || (anchor !== '' && !ids.get(path)?.has(anchor)))
      .map(({ path, anchor }) => `${page} → ${path}${anchor && `#${anchor}`}`),
  );
  return [...new Set(broken)];
}

function targetOf(page: string, link: string): { readonly path: string; readonly anchor: string } {
  const [target = '', anchor = ''] = decodeURIComponent(link.replaceAll('&amp;', '&')).split('#');
  const path = target === '' ? page : posix.join(posix.dirname(`/${page}`), target).slice(1);
  const absolute = target.startsWith('/') ? target.slice(1) : path;
  return { path: absolute === '' || absolute.endsWith('/') ? `${absolute}index.html` : absolute, anchor };
}

const matches = (text: string, pattern: RegExp) => Array.from(text.matchAll(pattern), ([, part]) => part!);
