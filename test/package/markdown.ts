/** A fenced block of code. */
export interface CodeBlock {
  /** The info string of the fence: a language, and perhaps a name, as in `ts quick-start`. */
  readonly info: string;
  readonly code: string;
  /** The line of the document that its first line is, from 1. */
  readonly line: number;
}

/** The fenced blocks of a document; those inside lists are moved to the left. */
export function codeBlocks(markdown: string): CodeBlock[] {
  return Array.from(
    markdown.matchAll(/^( *)```([^\n`]*)\n([^]*?)^\1```$/gm),
    ({ index, 1: indent, 2: info, 3: code }) => ({
      info: info!.trim(),
      code: code!.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
      line: markdown.slice(0, index).split('\n').length + 1,
    }),
  );
}

/** The path in the info string of a block, as in `ts src/main.ts`: the blocks of a page that have one are the files of one program. */
export function fileNameOf({ info }: Pick<CodeBlock, 'info'>): string | undefined {
  return info.split(' ').find((word, at) => at > 0 && word.includes('.'));
}

/** A document without its code, for what stands between. */
export function prose(markdown: string): string {
  return markdown.replaceAll(/^( *)```[^]*?^\1```$/gm, '').replaceAll(/`[^`\n]*`/g, '');
}

/** Returns the targets of a document's links and images. */
export function linksIn(markdown: string): string[] {
  const text = prose(markdown);
  const inMarkdown = Array.from(text.matchAll(/\]\(([^()\s]+)(?:\s"[^"]*")?\)/g), ([, target]) => target!);
  const inHtml = Array.from(text.matchAll(/\b(?:src|href|srcset)="([^"\s]+)[^"]*"/g), ([, target]) => target!);
  return [...inMarkdown, ...inHtml];
}

/** The names under which the headings of a document can be linked to, as GitHub makes them. */
export function anchorsIn(markdown: string): string[] {
  const seen = new Map<string, number>();
  const text = markdown.replaceAll(/^( *)```[^]*?^\1```$/gm, '');
  return Array.from(text.matchAll(/^#+ +(.+?) *$/gm), ([, heading]) => {
    const anchor = heading!
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-');
    const times = seen.get(anchor) ?? 0;
    seen.set(anchor, times + 1);
    return times === 0 ? anchor : `${anchor}-${times}`;
  });
}

/** The rows of the table whose first column has this title, as texts of their cells. */
export function tableOf(markdown: string, firstColumn: string): string[][] {
  const lines = markdown.split('\n');
  const head = lines.findIndex((line) => cellsOf(line)[0] === firstColumn);
  if (head < 0) throw new Error(`There is no table whose first column is "${firstColumn}".`);
  const end = lines.findIndex((line, at) => at > head && !line.startsWith('|'));
  return lines.slice(head + 2, end < 0 ? undefined : end).map(cellsOf);
}

function cellsOf(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}

/** The pieces of a text that are set as code. */
export function codesIn(text: string): string[] {
  return Array.from(text.matchAll(/`([^`]+)`/g), ([, code]) => code!);
}
