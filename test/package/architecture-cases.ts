/** A line that breaks a rule of the architecture, and its twin, a line in the same file that keeps it. */
export interface Case {
  /** What is refused, for the title of the test. */
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
  return { what, file: 'lib/core/routing/routing.ts', rule, bad, good };
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

/** Every rule of `.oxlintrc.json` that the layout rests on. `NAME` stands for a name of the line's own. */
export const CASES: readonly Case[] = [
  // Purity of the core
  ...arrows('lib/core/routing/routing.ts', CORE, [
    ...SHELL,
    'fs',
    'nestjs-realtime',
    '../ports/clock.js',
    './../ports/clock.js',
  ]),
  ...arrows('lib/core/routing/address.ts', CORE, [
    '../errors/realtime.error.js',
    '../realtime.constants.js',
    '../index.js',
  ]),
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
  ...[
    'lib/options/realtime.options.ts',
    'lib/options/realtime.options-schema.ts',
    'lib/options/realtime.constants.ts',
  ].flatMap((file) =>
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
