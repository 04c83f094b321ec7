import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/**
 * Shows that the linter enforces the purity of `lib/core` and the direction of the arrows between the folders: each case
 * is one line that breaks a rule, and its twin, a line in the same file that keeps it. All lines are written into two
 * copies of the layout, which are linted with the package's own configuration, once each.
 */
interface Case {
  /** What the title of the test says is refused. */
  readonly what: string;
  readonly file: string;
  readonly rule: string;
  readonly bad: string;
  readonly good: string;
}

const IMPORTS = 'eslint(no-restricted-imports)';
const GLOBALS = 'eslint(no-restricted-globals)';
const PROPERTIES = 'eslint(no-restricted-properties)';

const from = (specifier: string) => `export * as NAME from '${specifier}';`;

/** A file, what it may import, and what it may not. */
function arrows(file: string, allowed: readonly string[], refused: readonly string[]): Case[] {
  return refused.map((specifier, i) => ({
    what: specifier,
    file,
    rule: IMPORTS,
    bad: from(specifier),
    good: from(allowed[i % allowed.length]!),
  }));
}

function pure(rule: string, what: string, bad: string, good = 'export const NAME = 1;'): Case {
  return { what, file: 'lib/core/routing.ts', rule, bad, good };
}

const CORE = ['./topic.js'];
const SHELL = ['@nestjs/common', 'ws', 'node:fs', 'rxjs'];
const BASE = ['../core/topic.js', '../errors/realtime.error.js', '../ports/clock.js', './own.js', ...SHELL];
const BASE_2 = ['../../core/topic.js', '../../errors/realtime.error.js', '../../ports/clock.js', './own.js', ...SHELL];
const SELF = ['nestjs-realtime', 'nestjs-realtime/core', './../ports/clock.js', '../core/../gateway/session.js'];
const INTERNAL = ['@nestjs/core/internal', '@nestjs/common/internal/index.js', '@nestjs/core/internal.js'];
const ROOT = ['../realtime.module.js', '../realtime.providers.js', '../realtime.service.js', '../index.js'];
const DOORS = [...ROOT, '../testing/index.js', '../adapters/jwt/jwt-key.js', ...SELF, ...INTERNAL];
const SETTINGS = ['../realtime.options.js', '../realtime.constants.js'];

const CASES: Case[] = [
  // Purity of the core
  ...arrows('lib/core/routing.ts', CORE, [
    ...SHELL,
    'fs',
    'nestjs-realtime',
    '../ports/clock.js',
    './../ports/clock.js',
  ]),
  ...arrows('lib/core/address.ts', CORE, ['../errors/realtime.error.js', '../realtime.constants.js', '../index.js']),
  pure(
    IMPORTS,
    'a type of Nest',
    "import type { Type as NAME } from '@nestjs/common';",
    "import type { NAME } from './topic.js';",
  ),
  pure(
    IMPORTS,
    'import()',
    "export const NAME = () => import('node:fs');",
    "export const NAME = () => import('./topic.js');",
  ),
  pure(
    GLOBALS,
    'new Date()',
    'export const NAME = () => new Date();',
    'export const NAME = (now: Date) => now.getTime();',
  ),
  pure(
    GLOBALS,
    'Date.now()',
    'export const NAME = () => Date.now();',
    'export const NAME = (now: () => number) => now();',
  ),
  ...['performance', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'process', 'console', 'crypto'].map(
    (name) => pure(GLOBALS, name, `export const NAME = () => ${name};`),
  ),
  ...['Buffer', 'fetch', 'require', 'global', 'globalThis'].map((name) =>
    pure(GLOBALS, name, `export const NAME = () => ${name};`, 'export const NAME = () => new URL("ws://host");'),
  ),
  pure(
    PROPERTIES,
    'Math.random()',
    'export const NAME = () => Math.random();',
    'export const NAME = () => Math.max(1);',
  ),

  // The arrows
  ...arrows('lib/errors/own.error.ts', ['../core/topic.js', './own.js'], ['../ports/clock.js', ...DOORS, ...SETTINGS]),
  ...arrows(
    'lib/ports/own.ts',
    ['../core/topic.js', '../errors/realtime.error.js', '@nestjs/common'],
    [
      '../adapters/system/system-clock.js',
      '../delivery/local-delivery.js',
      '../gateway/session.js',
      ...DOORS,
      ...SETTINGS,
    ],
  ),
  ...['lib/adapters/redis/own.ts', 'lib/codecs/json/own.ts'].flatMap((file) =>
    arrows(file, BASE_2, [
      '../jwt/jwt-key.js',
      '../centrifuge/frame.js',
      '../../adapters/jwt/jwt-key.js',
      '../../codecs/json/json-codec.js',
      '../../delivery/local-delivery.js',
      '../../decorators/on-message.decorator.js',
      '../../gateway/session.js',
      '../../guards/realtime-auth.guard.js',
      '../../handlers/handler.js',
      '../../testing/index.js',
      '../../realtime.module.js',
      '../../realtime.service.js',
      '../../index.js',
      'nestjs-realtime',
      ...INTERNAL,
    ]),
  ),
  ...['lib/delivery/own.ts', 'lib/decorators/own.decorator.ts'].flatMap((file) =>
    arrows(file, BASE, [
      '../codecs/json/json-codec.js',
      '../gateway/session.js',
      '../guards/realtime-auth.guard.js',
      '../handlers/handler.js',
      ...DOORS,
      ...SETTINGS,
    ]),
  ),
  ...['lib/guards/own.guard.ts', 'lib/handlers/own.ts'].flatMap((file) =>
    arrows(
      file,
      [...BASE, '../decorators/on-message.decorator.js'],
      ['../codecs/json/json-codec.js', '../delivery/local-delivery.js', '../gateway/session.js', ...DOORS, ...SETTINGS],
    ),
  ),
  ...arrows('lib/guards/other.guard.ts', BASE, ['../handlers/handler.js']),
  ...arrows('lib/handlers/other.ts', BASE, ['../guards/realtime-auth.guard.js']),
  ...arrows(
    'lib/gateway/own.ts',
    [...BASE, ...SETTINGS, '../codecs/json/json-codec.js', '../delivery/membership.js', '../handlers/handler.js'],
    [
      ...DOORS,
      '../decorators/on-message.decorator.js',
      '../guards/realtime-auth.guard.js',
      '../realtime.module-definition.js',
    ],
  ),
  ...arrows(
    'lib/realtime.service.ts',
    ['./core/topic.js', './errors/realtime.error.js', './ports/clock.js', './delivery/x.js', './realtime.options.js'],
    [
      './realtime.module.js',
      './realtime.module-definition.js',
      './realtime.providers.js',
      './index.js',
      './gateway/session.js',
      './handlers/handler.js',
      './adapters/jwt/jwt-key.js',
      './testing/index.js',
      'nestjs-realtime',
      ...INTERNAL,
    ],
  ),
  ...['lib/realtime.options.ts', 'lib/realtime.options-schema.ts', 'lib/realtime.constants.ts'].flatMap((file) =>
    arrows(
      file,
      ['./core/topic.js', './adapters/jwt/jwt-options.js', 'class-validator'],
      ['./adapters/jwt/jwt-key.js', './delivery/local-delivery.js', './realtime.module.js', './realtime.service.js'],
    ),
  ),
  ...[
    'lib/index.ts',
    'lib/realtime.module.ts',
    'lib/realtime.module-definition.ts',
    'lib/realtime.providers.ts',
  ].flatMap((file) =>
    arrows(
      file,
      ['./realtime.module.js', './gateway/session.js', './adapters/jwt/jwt-key.js', './handlers/handler.js'],
      ['./testing/index.js', 'nestjs-realtime', ...INTERNAL],
    ),
  ),
  ...arrows(
    'lib/testing/own.ts',
    ['../realtime.module.js', '../gateway/session.js', 'ws'],
    ['nestjs-realtime', ...INTERNAL],
  ),
  ...arrows('lib/metrics/own.ts', ['./other.js', 'rxjs'], ['../core/topic.js', '../realtime.module.js']),
  ...['lib/handlers/nest-internals.ts', 'lib/gateway/nest-internals.ts'].flatMap((file) =>
    arrows(file, [...INTERNAL, './own.js', '../core/topic.js'], ['../realtime.module.js', 'nestjs-realtime']),
  ),
  ...arrows('lib/core/nest-internals.ts', CORE, INTERNAL),

  // The rest
  {
    what: 'any',
    file: 'lib/delivery/own.ts',
    rule: 'typescript(no-explicit-any)',
    bad: 'export const NAME: any = 1;',
    good: 'export const NAME: unknown = 1;',
  },
  {
    what: 'a cycle',
    file: 'lib/delivery/cycle.ts',
    rule: 'import(no-cycle)',
    bad: "export { other as NAME } from './cycle-other.js';",
    good: "export { end as NAME } from './cycle-end.js';",
  },
  {
    what: 'a promise that nobody waits for',
    file: 'lib/gateway/own.ts',
    rule: 'typescript(no-floating-promises)',
    bad: 'export const NAME = () => { fetch("ws://host"); };',
    good: 'export const NAME = () => { void fetch("ws://host"); };',
  },
  {
    what: 'a promise where a condition is meant',
    file: 'lib/gateway/own.ts',
    rule: 'typescript(no-misused-promises)',
    bad: 'export const NAME = (p: Promise<boolean>) => (p ? 1 : 2);',
    good: 'export const NAME = async (p: Promise<boolean>) => ((await p) ? 1 : 2);',
  },
];

/** Files that no case is about. */
const OTHERS = {
  'tsconfig.json': '{ "compilerOptions": { "target": "ES2023", "module": "NodeNext", "strict": true, "types": [] } }',
  'lib/delivery/cycle-other.ts': "import './cycle.js';\nexport const other = 1;\n",
  'lib/delivery/cycle-end.ts': 'export const end = 1;\n',
  'lib/core/routing.spec.ts': "import { it } from 'vitest';\nit('tells the time', () => void Date.now());\n",
  'lib/ports/clock.spec.ts': "export * as all from '../index.js';\n",
};

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
const folders: string[] = [];

/** Writes one side of all cases, lints it, and tells the rules that each line breaks (`lib/core/a.ts:3` → rules). */
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
      // It exits with 1 when it has found something.
      if (error && error.code !== 1) reject(new Error(`oxlint failed: ${stderr || stdout}`, { cause: error }));
      else resolve((JSON.parse(stdout) as { diagnostics: Diagnostic[] }).diagnostics);
    });
  });
}

/** Where each case stands; both sides have it on the same line. */
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

  describe.each(CASES.map((entry, i) => ({ ...entry, place: places[i]! })))(
    'in $file',
    ({ what, rule, place, ...entry }) => {
      it(`refuses ${what}`, () => {
        expect(bad.get(place)).toContain(rule);
      });

      it(`takes ${entry.good.replace('NAME', '…')} instead of ${what}`, () => {
        expect(good.get(place) ?? []).not.toContain(rule);
      });
    },
  );

  it('lets specs look at the clock and at every folder', () => {
    expect([...bad.keys()].filter((place) => place.includes('.spec.ts'))).toEqual([]);
  });
});
