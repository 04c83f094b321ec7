import { cp, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { SiteConfig } from 'vitepress';
import { documentOf, linkOnSite } from './links.js';
import { DOCS, sections, textOf, type Page } from './tree.js';

const FENCE = /^( *)```[^]*?^\1```$/gm;

/**
 * Writes beside each page of a built site its text as Markdown, at the same address with `.md`, and `llms.txt`, which lists them all.
 * Copies the files that the texts name, too: pictures, and what alerting and dashboards take.
 */
export async function writeTwins({ outDir, pages, site }: SiteConfig): Promise<void> {
  for (const page of pages) {
    const path = join(outDir, page);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, twinOf(page, site.base));
  }
  await writeFile(join(outDir, 'llms.txt'), listOf(site.base, site.description));
  for (const folder of ['operations', 'images'])
    await cp(join(DOCS, folder), join(outDir, folder), { recursive: true });
}

/** The text of a page, with its links made those of the site; code stays as it is. */
function twinOf(page: string, base: string): string {
  const document = page === 'index.md' ? 'README.md' : documentOf(page);
  const text = textOf(document);
  const fences = text.match(FENCE) ?? [];
  return text
    .split(FENCE)
    .filter((_, at) => at % 2 === 0)
    .map((prose, at) => relinked(document, prose, base) + (fences[at] ?? ''))
    .join('');
}

function relinked(document: string, prose: string, base: string): string {
  return prose.replaceAll(/(?<!!)\[([^\]]*)\]\(([^()\s]+)\)/g, (_, label: string, link: string) => {
    const place = linkOnSite(document, link);
    if (place === undefined) return label;
    return `[${label}](${place.startsWith('/') ? base + place.slice(1) : place})`;
  });
}

function listOf(base: string, description: string): string {
  const line = ({ path, title, summary }: Page) => `- [${title}](${base}${path}.md)${summary && `: ${summary}`}`;
  const parts = sections().map(({ title, pages }) => `## ${title}\n\n${pages.map(line).join('\n')}\n`);
  return `# nestjs-realtime\n\n> ${description}\n\n${parts.join('\n')}`;
}
