import { readFileSync } from 'node:fs';

const DOCUMENT = readFileSync(new URL('../../PROTOCOL.md', import.meta.url), 'utf8');

/** The rows of the table under a heading of PROTOCOL.md, each by its column's name, without backquotes. */
export function tableUnder(heading: string): Record<string, string>[] {
  const [, section = ''] = DOCUMENT.split(`\n## ${heading}\n`);
  const lines = section.split('\n## ', 1)[0]!.split('\n');
  const [head, , ...rows] = lines.filter((line) => line.startsWith('|')).map(cellsOf);
  if (!head) throw new Error(`PROTOCOL.md has no table under "${heading}"`);
  return rows.map((row) => Object.fromEntries(head.map((name, i) => [name, row[i]!])));
}

/** One line of a dialogue: what the client says, what the server says, or what else happens. */
export type Line =
  | { readonly by: 'client' | 'server'; readonly frame: Record<string, any> }
  | { readonly by: 'nobody'; readonly text: string };

/** A numbered dialogue of PROTOCOL.md. */
export function dialogue(number: number): Line[] {
  const [, text] = new RegExp(`\\n\\*\\*${number}\\. [^]*?\`\`\`\\n([^]*?)\n\`\`\``).exec(DOCUMENT) ?? [];
  if (text === undefined) throw new Error(`PROTOCOL.md has no dialogue ${number}`);
  return text.split('\n').map((line): Line => {
    if (line.startsWith('> ')) return { by: 'client', frame: JSON.parse(line.slice(2)) };
    if (line.startsWith('< ')) return { by: 'server', frame: JSON.parse(line.slice(2)) };
    return { by: 'nobody', text: line.trim() };
  });
}

function cellsOf(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('`', ''));
}
