import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder `docs`. */
export const DOCS = fileURLToPath(new URL('..', import.meta.url));

/** A page of the site: its path below `docs` without `.md`, its first heading, and its first sentence. */
export interface Page {
  readonly path: string;
  readonly title: string;
  readonly summary: string;
}

/** A section of the site, with its pages in the order of the sidebar. */
export interface Section {
  readonly title: string;
  readonly pages: readonly Page[];
}

/** The folder of each section, and the order of its pages. Pages that are not named come last, by name. */
const ORDER: Readonly<Record<string, readonly [folder: string, ...pages: string[]]>> = {
  Start: ['start', 'quick-start', 'concepts', 'addresses'],
  Guides: [
    'guides',
    'authentication',
    'topic-handlers',
    'sending',
    'history',
    'presence',
    'streams',
    'pace',
    'errors',
    'many-nodes',
    'testing',
  ],
  Recipes: [
    'recipes',
    'notifications',
    'live-dashboard',
    'chat',
    'job-progress',
    'ai-chat',
    'cursors',
    'cookie-login',
    'worker',
    'redis-in-production',
  ],
  'Coming from': ['coming-from', 'socket-io', 'platform-ws', 'server-sent-events', 'pusher-ably'],
  Production: ['production', 'proxies', 'redis', 'sizing', 'deploys', 'security', 'operations', 'runbook'],
  Reference: [
    'reference',
    'options',
    'limits',
    'close-codes',
    'guarantees',
    'protocol',
    'sdks',
    'writing-a-backend',
    'compatibility',
    'decisions',
    'assistants',
  ],
};

/** Pages that stand outside of the folder of their section. */
const ADDED: Readonly<Record<string, readonly string[]>> = {
  Production: ['soak'],
  Reference: ['reference/api/index'],
};

/** Documents outside of `docs` that the site shows below `project/`, by the name of their page. */
export const PROJECT: Readonly<Record<string, string>> = {
  'security-policy': 'SECURITY.md',
  benchmarks: 'bench/README.md',
  'sample-notifications': 'sample/01-notifications/README.md',
  'sample-cluster': 'sample/02-cluster/README.md',
  'sample-ai-chat': 'sample/03-ai-chat/README.md',
  contributing: 'CONTRIBUTING.md',
  releasing: 'RELEASE.md',
  changelog: 'CHANGELOG.md',
};

/** The text of a document of the repository. */
export function textOf(document: string): string {
  return readFileSync(join(DOCS, '..', document), 'utf8');
}

/** Reads the tree from the disk: a page is on the site as soon as its file is there. */
export function sections(): Section[] {
  const named = Object.entries(ORDER).map(([title, [folder, ...order]]) => {
    const rank = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
    const names = existsSync(join(DOCS, folder)) ? readdirSync(join(DOCS, folder)).filter(isPage) : [];
    const inFolder = names
      .map((name) => name.slice(0, -'.md'.length))
      .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b))
      .map((name) => `${folder}/${name}`);
    const added = (ADDED[title] ?? []).filter((path) => existsSync(join(DOCS, `${path}.md`)));
    return { title, pages: [...inFolder, ...added].map((path) => pageOf(path, textOf(`docs/${path}.md`))) };
  });
  const project = Object.entries(PROJECT).map(([name, document]) => pageOf(`project/${name}`, textOf(document)));
  return [...named, { title: 'Project', pages: project }].filter(({ pages }) => pages.length > 0);
}

const isPage = (name: string) => name.endsWith('.md') && name !== 'index.md';

function pageOf(path: string, document: string): Page {
  const [frontmatter = ''] = /^---\n[^]*?\n---\n/.exec(document) ?? [];
  const text = document.slice(frontmatter.length);
  const [, title = path] = /^# (.+)$/m.exec(text) ?? [];
  const [, description] = /^description: (.+)$/m.exec(frontmatter) ?? [];
  return {
    path,
    title: plain(title),
    summary: description ?? firstSentence(text.slice(text.indexOf(title) + title.length)),
  };
}

function firstSentence(text: string): string {
  const paragraphs = text.replaceAll(/^```[^]*?^```$/gm, '').split(/\n{2,}/);
  const paragraph = paragraphs.find((part) => /^[\p{L}`"[*(]/u.test(part.trim())) ?? '';
  const [sentence = ''] = plain(paragraph).split(/(?<=[.:?])\s/);
  return sentence.replace(/:$/, '.');
}

/** A paragraph of Markdown as one line without links and marks. */
function plain(markdown: string): string {
  return markdown
    .trim()
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/[*`]/g, '');
}
