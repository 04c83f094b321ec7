import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { circlesIn, groupedBy, importGraph, type Graph } from './import-graph.js';
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

/** The imports between what a folder holds. */
function foldersOf(parent: string, imports: Graph): Graph {
  const isInside = (path: string) => path.startsWith(`${parent}/`);
  const within = [...imports]
    .filter(([path]) => isInside(path))
    .map(([path, targets]) => [path, new Set([...targets].filter(isInside))] as const);
  return groupedBy(new Map(within), folderBelow(parent));
}

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
    it('import each other without a circle', () => {
      expect(circlesIn(foldersOf(parent, graph))).toEqual([]);
    });
  },
);

/** Which of its siblings a sub-folder may import, where the linter's rules do not say so. */
const ARROWS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  'lib/gateway': { auth: [], session: ['auth', 'socket'], socket: [], upgrade: ['auth'] },
  'lib/adapters/redis': {
    bus: ['connection', 'directory'],
    connection: [],
    directory: ['connection'],
    history: ['bus', 'connection'],
    presence: ['connection'],
  },
};

describe.each(Object.entries(ARROWS))('the sub-folders of %s', (parent, arrows) => {
  const isFolder = (path: string) => !path.endsWith('.ts');
  const namesOf = (paths: Iterable<string>) => [...paths].filter(isFolder).map((path) => posix.basename(path));
  /** The sub-folders that each of them imports, by their names. */
  const importsIn = (imports: Graph) =>
    Object.fromEntries(
      [...foldersOf(parent, imports)]
        .filter(([path]) => isFolder(path))
        .map(([path, targets]) => [posix.basename(path), namesOf(targets).sort()]),
    );

  it.each(Object.entries(importsIn(graph)))('import only those below them: %s imports %j', (folder, imported) => {
    expect(arrows[folder]).toEqual(expect.arrayContaining(imported));
  });

  it.each(Object.keys(arrows))('twin: one more import of %s would be seen', (folder) => {
    const other = Object.keys(arrows).find((name) => name !== folder && !arrows[folder]!.includes(name))!;
    const [target] = [...files.keys()].filter((path) => path.startsWith(`${parent}/${other}/`));
    const line = `import '../${other}/${posix.basename(target!, '.ts')}.js';`;
    expect(importsIn(planted({ [`${parent}/${folder}/new.ts`]: line }))[folder]).toContain(other);
  });
});

it('twin: two folders of lib/core would be seen to import each other, though no two files do', () => {
  const lines = { 'lib/core/base/new.ts': "import type { Topic } from '../topic/topic-token.js';" };
  const folders = groupedBy(planted(lines), folderBelow('lib/core'));
  expect(circlesIn(planted(lines))).toEqual([]);
  expect(circlesIn(folders)).toContainEqual(expect.arrayContaining(['lib/core/base', 'lib/core/topic']));
});
