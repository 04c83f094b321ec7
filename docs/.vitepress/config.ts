import { defineConfig, type DefaultTheme } from 'vitepress';
import { repositoryLinks } from './repository-links.js';
import { DOCS, sections, type Page } from './tree.js';
import { writeTwins } from './twins.js';

const tree = sections();

/** Where the site will be, such as `/nestjs-realtime/`. */
const base = process.env['DOCS_BASE'] ?? '/';

const link = ({ path }: Page) => `/${path}`;

const sidebar: DefaultTheme.SidebarItem[] = tree.map(({ title, pages }) => ({
  text: title,
  collapsed: title === 'Project',
  items: pages.map((page) => ({ text: page.title.replace(/: .*/, ''), link: link(page) })),
}));

const nav: DefaultTheme.NavItem[] = tree
  .filter(({ title }) => title !== 'Project')
  .flatMap(({ title, pages }) =>
    pages.slice(0, 1).map((page) => ({
      text: title,
      link: link(page),
      activeMatch: `^/${page.path.replace(/\/.*/, '/')}`,
    })),
  );

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
    theme: { light: 'github-light-high-contrast', dark: 'github-dark' },
    anchor: { slugify },
    config: (md) => void md.use(repositoryLinks),
  },
  vite: { server: { fs: { allow: [`${DOCS}/..`] } }, build: { chunkSizeWarningLimit: 4_000 } },
  buildEnd: writeTwins,
  themeConfig: {
    nav,
    sidebar,
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
