import type { MarkdownRenderer } from 'vitepress';
import { documentOf, imageOnPage, linkOnSite } from './links.js';

type Token = ReturnType<MarkdownRenderer['parse']>[number];

/** A plugin for markdown-it: makes links and images of the repository those of the site. Links to what is not on the site become texts. */
export function repositoryLinks(md: MarkdownRenderer): void {
  md.core.ruler.push('repository-links', ({ tokens, env }) => {
    const page = (env as { relativePath?: string }).relativePath;
    if (page === undefined) return;
    for (const token of tokens) {
      if (token.type === 'html_block') token.content = withImages(page, token.content);
      if (token.children) token.children = relinked(page, token.children);
    }
  });
}

function relinked(page: string, tokens: Token[]): Token[] {
  let isDropped = false;
  return tokens.filter((token) => {
    if (token.type === 'image') token.attrSet('src', imageOnPage(page, token.attrGet('src')!));
    if (token.type === 'html_inline') token.content = withImages(page, token.content);
    if (token.type === 'link_close' && isDropped) return (isDropped = false);
    if (token.type !== 'link_open') return true;
    const link = linkOnSite(documentOf(page), token.attrGet('href')!);
    if (link === undefined) return !(isDropped = true);
    token.attrSet('href', link);
    return true;
  });
}

function withImages(page: string, html: string): string {
  return html.replaceAll(/\b(src|srcset)="([^"\s]+)"/g, (_, name, image) => `${name}="${imageOnPage(page, image)}"`);
}
