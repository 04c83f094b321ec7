import { posix } from 'node:path';
import { PROJECT, textOf } from './tree.js';

const { repository } = JSON.parse(textOf('package.json')) as { repository?: { url: string } };

/** Where the files of the repository can be read, if `package.json` names a repository. */
const SOURCE = repository && `${repository.url.replace(/^git\+|\.git$/g, '')}/blob/HEAD/`;

/** The document that a page of the site shows, from the root of the repository. */
export function documentOf(page: string): string {
  const [, name = ''] = /^project\/(.+)\.md$/.exec(page) ?? [];
  return PROJECT[name] ?? `docs/${page}`;
}

/**
 * Returns where a link of a document leads on the site, from the root of the site; a link to the web or within the page as it is.
 * Returns undefined for what is not on the site, such as a file of code while the repository has no address.
 */
export function linkOnSite(document: string, link: string): string | undefined {
  if (/^([a-z]+:|#|\/)/.test(link)) return link;
  const [path = '', anchor] = link.split('#');
  const target = posix.normalize(posix.join(posix.dirname(document), decodeURI(path)));
  const place = placeOf(target);
  if (place === undefined) return SOURCE && SOURCE + target;
  return anchor === undefined ? place : `${place}#${anchor}`;
}

function placeOf(target: string): string | undefined {
  if (target === 'README.md') return '/';
  if (/^docs\/(?!\.vitepress\/)(.+\.md$|images\/|operations\/)/.test(target)) return target.slice('docs'.length);
  const [name] = Object.entries(PROJECT).find(([, document]) => document === target) ?? [];
  return name && `/project/${name}.md`;
}

/** The relative path that an image of a document has on the page that shows it. */
export function imageOnPage(page: string, image: string): string {
  if (/^([a-z]+:|\/)/.test(image)) return image;
  const path = posix.join(posix.dirname(documentOf(page)), image);
  return `./${posix.relative(posix.join('docs', posix.dirname(page)), path)}`;
}
