import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CASES } from './architecture-cases.js';

/** Files without a case of their own. */
const OTHERS = {
  'tsconfig.json': '{ "compilerOptions": { "target": "ES2023", "module": "NodeNext", "strict": true, "types": [] } }',
  'lib/delivery/cycle-other.ts': "import './cycle.js';\nexport const other = 1;\n",
  'lib/delivery/cycle-end.ts': 'export const end = 1;\n',
  'lib/core/routing/routing.spec.ts': "import { it } from 'vitest';\nit('tells the time', () => void Date.now());\n",
  'lib/ports/clock.spec.ts': "export * as all from '../index.js';\n",
  'lib/core/topic/topic.spec.ts': "export * as all from '../../ports/clock.js';\n",
  'lib/gateway/session/own.spec.ts': "export * as all from '../../index.js';\n",
};

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
const folders: string[] = [];

/**
 * Writes one side of all cases into a copy of the layout, lints it with the package's own configuration, and returns the
 * rules that each line breaks (`lib/core/a.ts:3` → rules).
 */
async function lint(side: 'bad' | 'good'): Promise<ReadonlyMap<string, readonly string[]>> {
  const folder = await mkdtemp(join(tmpdir(), 'architecture-'));
  folders.push(folder);
  const files = new Map<string, string>(Object.entries(OTHERS));
  CASES.forEach((entry, i) => {
    files.set(entry.file, `${files.get(entry.file) ?? ''}${entry[side].replace('NAME', `name${i}`)}\n`);
  });
  for (const [path, text] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  await copyFile(join(REPOSITORY, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
  const found = new Map<string, string[]>();
  for (const { code, filename, labels } of await diagnose(folder)) {
    const place = `${filename.replaceAll('\\', '/')}:${labels[0]?.span.line}`;
    found.set(place, [...(found.get(place) ?? []), code]);
  }
  return found;
}

interface Diagnostic {
  readonly code: string;
  readonly filename: string;
  readonly labels: readonly { readonly span: { readonly line: number } }[];
}

function diagnose(folder: string): Promise<readonly Diagnostic[]> {
  const oxlint = join(REPOSITORY, 'node_modules/oxlint/bin/oxlint');
  return new Promise((resolve, reject) => {
    const args = [oxlint, '--type-aware', '--format', 'json'];
    execFile(process.execPath, args, { cwd: folder, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      // Exit code 1 means that it reported something.
      if (error && error.code !== 1) reject(new Error(`oxlint failed: ${stderr || stdout}`, { cause: error }));
      else resolve((JSON.parse(stdout) as { diagnostics: Diagnostic[] }).diagnostics);
    });
  });
}

/** File and line of each case; both sides have it on the same line. */
const places = (() => {
  const lines = new Map<string, number>();
  return CASES.map(({ file }) => {
    lines.set(file, (lines.get(file) ?? 0) + 1);
    return `${file}:${lines.get(file)}`;
  });
})();

describe('the linter', () => {
  let bad: ReadonlyMap<string, readonly string[]>;
  let good: ReadonlyMap<string, readonly string[]>;

  beforeAll(async () => {
    [bad, good] = await Promise.all([lint('bad'), lint('good')]);
  }, 60_000);

  afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

  describe.each(CASES.map((entry, i) => ({ ...entry, place: places[i]! })))('in $file', (entry) => {
    it(`refuses ${entry.what}, and accepts: ${entry.good}`, () => {
      const breaks = (found: ReadonlyMap<string, readonly string[]>) => found.get(entry.place)?.includes(entry.rule);
      expect({ bad: breaks(bad) ?? false, good: breaks(good) ?? false }).toEqual({ bad: true, good: false });
    });
  });

  it('lets specs use the clock and import every folder', () => {
    expect([...bad.keys()].filter((place) => place.includes('.spec.ts'))).toEqual([]);
  });
});
