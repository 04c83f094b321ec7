import { describe, expect, it } from 'vitest';
import { circlesIn, groupedBy, importGraph } from './import-graph.js';
import { filesIn, read } from './repository.js';

const isSource = (path: string) => path.endsWith('.ts') && !path.endsWith('.spec.ts');
const files = new Map(
  filesIn('lib')
    .filter(isSource)
    .map((path) => [path, read(path)]),
);
const graph = importGraph(files);

/** The folder of a file below another folder; a file that stands in that folder itself is a group of its own. */
const folderBelow = (parent: string) => (path: string) => {
  const [first, ...rest] = path.slice(parent.length + 1).split('/');
  return rest.length > 0 ? `${parent}/${first}` : path;
};

/** The same graph with a file whose text has one more line. */
const planted = (lines: Readonly<Record<string, string>>) =>
  importGraph(
    new Map([
      ...files,
      ...Object.entries(lines).map(([path, line]) => [path, `${files.get(path) ?? ''}\n${line}`] as const),
    ]),
  );

describe('the files of the package', () => {
  it('import each other without a circle', () => {
    expect(circlesIn(graph)).toEqual([]);
  });

  it('are scanned: their imports are found', () => {
    expect(graph.get('lib/core/topic/topic-grants.ts')).toContain('lib/core/identity/token-life.ts');
  });

  it.each([
    ['a value', "import { TopicGrants } from '../topic/topic-grants.js';"],
    ['a type', "import type { TopicGrants } from '../topic/topic-grants.js';"],
    ['a type inside of an import of values', "import { type TopicGrants } from '../topic/topic-grants.js';"],
    ['a re-export', "export * from '../topic/topic-grants.js';"],
    ['the type of a dynamic import', "export type Grants = import('../topic/topic-grants.js').TopicGrants;"],
  ])('twin: would be seen to import each other in a circle by %s', (_what, line) => {
    const circle = ['lib/core/identity/token-life.ts', 'lib/core/topic/topic-grants.ts'];
    expect(circlesIn(planted({ 'lib/core/identity/token-life.ts': line }))).toEqual([circle]);
  });

  it('twin: would be seen to import each other in a circle over three files', () => {
    const circle = ['lib/core/a.ts', 'lib/core/b.ts', 'lib/core/c.ts'];
    const lines = {
      'lib/core/a.ts': "import './b.js';",
      'lib/core/b.ts': "import './c.js';",
      'lib/core/c.ts': "import type { A } from './a.js';",
    };
    expect(circlesIn(planted(lines))).toEqual([circle]);
  });
});

describe.each(['lib/core', 'lib/gateway', 'lib/adapters', 'lib/adapters/redis', 'lib'])(
  'the folders of %s',
  (parent) => {
    const inside = new Map([...graph].filter(([path]) => path.startsWith(`${parent}/`)));
    const isInside = (path: string) => path.startsWith(`${parent}/`);
    const within = new Map(
      Array.from(inside, ([path, targets]) => [path, new Set([...targets].filter(isInside))] as const),
    );

    it('import each other without a circle', () => {
      expect(circlesIn(groupedBy(within, folderBelow(parent)))).toEqual([]);
    });
  },
);

it('twin: two folders of lib/core would be seen to import each other, though no two files do', () => {
  const lines = { 'lib/core/base/new.ts': "import type { Topic } from '../topic/topic-token.js';" };
  const folders = groupedBy(planted(lines), folderBelow('lib/core'));
  expect(circlesIn(planted(lines))).toEqual([]);
  expect(circlesIn(folders)).toContainEqual(expect.arrayContaining(['lib/core/base', 'lib/core/topic']));
});
