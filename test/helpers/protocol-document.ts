import { readFileSync } from 'node:fs';

const [PROTOCOL, CODES] = ['protocol', 'close-codes'].map((page) =>
  readFileSync(new URL(`../../docs/reference/${page}.md`, import.meta.url), 'utf8'),
) as [string, string];

/** The rows of the table under a heading of the protocol or of its codes, each by its column's name, without backquotes. */
export function tableUnder(heading: string): Record<string, string>[] {
  const [, section = ''] = (PROTOCOL + CODES).split(`\n## ${heading}\n`);
  const lines = section.split('\n## ', 1)[0]!.split('\n');
  const [head, , ...rows] = lines.filter((line) => line.startsWith('|')).map(cellsOf);
  if (!head) throw new Error(`The protocol has no table under "${heading}"`);
  return rows.map((row) => Object.fromEntries(head.map((name, i) => [name, row[i]!])));
}

/** One line of a dialogue: what the client says, what the server says, or what else happens. */
export type Line =
  | { readonly by: 'client' | 'server'; readonly frame: Record<string, any> }
  | { readonly by: 'nobody'; readonly text: string };

/** A numbered dialogue of docs/reference/protocol.md. */
export function dialogue(number: number): Line[] {
  const [, text] = new RegExp(`\\n\\*\\*${number}\\. [^]*?\`\`\`\\n([^]*?)\n\`\`\``).exec(PROTOCOL) ?? [];
  if (text === undefined) throw new Error(`The protocol has no dialogue ${number}`);
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
