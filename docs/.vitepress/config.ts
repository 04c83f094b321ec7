import { defineConfig, type DefaultTheme } from 'vitepress';
import { repositoryLinks } from './repository-links.js';
import { DOCS, sections } from './tree.js';
import { writeTwins } from './twins.js';

const tree = sections();

/** Where the site will be, such as `/nestjs-realtime/`. */
const base = process.env['DOCS_BASE'] ?? '/';

const items = (title: string): DefaultTheme.SidebarItem[] =>
  tree
    .find((section) => section.title === title)!
    .pages.map(({ path, title: name }) => ({ text: name.split(': ')[0]!, link: `/${path}` }));

const first = (title: string): DefaultTheme.NavItem[] =>
  tree
    .filter((section) => section.title === title)
    .map(({ pages: [page] }) => ({
      text: title,
      link: `/${page!.path}`,
      activeMatch: `^/${page!.path.split('/')[0]}/`,
    }));

/** The site of the documentation: static, with its own fonts and its own search, so that it works without the web. */
export default defineConfig({
  title: 'nestjs-realtime',
  description:
    'Realtime messages for NestJS: authenticated WebSockets that reach a user, a role, a connection, a topic or everybody.',
  lang: 'en',
  base,
  head: [['link', { rel: 'icon', href: `${base}images/icon.svg`, type: 'image/svg+xml' }]],
  ignoreDeadLinks: false,
  transformPageData(data) {
    const page = tree.flatMap(({ pages }) => pages).find(({ path }) => `${path}.md` === data.relativePath);
    if (page && !data.description) data.description = page.summary;
  },
  markdown: {
    anchor: { slugify },
    config: (md) => void md.use(repositoryLinks),
  },
  vite: { server: { fs: { allow: [`${DOCS}/..`] } }, build: { chunkSizeWarningLimit: 4_000 } },
  buildEnd: writeTwins,
  themeConfig: {
    nav: ['Start', 'Guides', 'Recipes', 'Coming from', 'Production', 'Reference'].flatMap(first),
    sidebar: tree.map(({ title }) => ({ text: title, items: items(title), collapsed: title === 'Project' })),
    outline: [2, 3],
    search: { provider: 'local' },
    externalLinkIcon: true,
  },
});

/** Names headings as GitHub does, so that a link to one works in both places. */
function slugify(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(/\s/g, '-');
}
