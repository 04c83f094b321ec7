/** A line that breaks a rule of the architecture, and its twin: a line in the same file that keeps the rule. */
export interface Case {
  /** Names the refused line in the title of the test. */
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

/** One case per refused specifier of `file`, each with an allowed specifier as its twin. */
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

const CORE = ['./topic.js', '../topic/topic.js'];
const SHELL = ['@nestjs/common', 'ws', 'node:fs', 'rxjs'];
const SELF = [
  'nestjs-realtime',
  'nestjs-realtime/core',
  './../ports/clock.js',
  '../core/../gateway/realtime.gateway.js',
];
const INTERNAL = ['@nestjs/core/internal', '@nestjs/common/internal/index.js', '@nestjs/common/constants.js'];
const BASE = [...below(1, 'core/topic/topic', 'errors/realtime.error', 'ports/clock'), './own.js', ...SHELL];
const OPTIONS = ['options/realtime.options', 'options/realtime.constants'];
const ROOT = ['realtime.module', 'realtime.providers', 'realtime.service', 'index'];
const GATEWAY = ['codecs/json/json-codec', 'delivery/membership', 'handlers/handler', ...OPTIONS];
const NOT_GATEWAY = ['decorators/on-message.decorator', 'guards/realtime-auth.guard', 'realtime.module-definition'];
const DOORS = [...below(1, ...ROOT, 'testing/index', 'adapters/jwt/jwt-key'), ...SELF, ...INTERNAL];
const NOT_ADAPTERS = [
  'delivery/local-delivery',
  'decorators/on-message.decorator',
  'gateway/realtime.gateway',
  'guards/realtime-auth.guard',
  'handlers/handler',
  'testing/index',
  ...OPTIONS,
  ...ROOT,
];

/** Specifiers of files of `lib`, as a file so many folders deep writes them. */
function below(depth: number, ...files: readonly string[]): string[] {
  return files.map((file) => `${'../'.repeat(depth)}${file}.js`);
}

/** Cases for every rule of `.oxlintrc.json` that enforces the layout. `NAME` is replaced by a unique name per line. */
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
    ...below(2, 'errors/realtime.error', 'options/realtime.constants', 'ports/clock', 'index'),
    '../bus/subject.js',
    '../topic/../bus/subject.js',
  ]),
  ...arrows('lib/core/base/own.ts', ['./problem.js'], ['../topic/topic.js', '../../ports/clock.js']),
  ...arrows('lib/core/connection/own.ts', ['../base/problem.js'], ['../presence/presence.js', '../history/history.js']),
  ...arrows('lib/core/presence/own.ts', ['../base/problem.js'], ['../topic/topic.js', '../connection/connection.js']),
  ...arrows('lib/core/message/own.ts', ['../base/problem.js'], ['../topic/topic.js', '../protocol/command.js']),
  ...arrows('lib/core/identity/own.ts', ['../connection/origin.js'], ['../history/history.js', '../topic/topic.js']),
  ...arrows('lib/core/history/own.ts', ['../message/message.js'], ['../identity/claims.js', '../routing/envelope.js']),
  ...arrows('lib/core/topic/own.ts', ['../identity/claims.js'], ['../protocol/push.js', '../routing/envelope.js']),
  ...arrows('lib/core/protocol/own.ts', ['../presence/presence.js'], ['../topic/topic.js', '../bus/subject.js']),
  ...arrows('lib/core/bus/own.ts', ['../routing/envelope.js'], ['../../ports/clock.js', '../index.js', 'ws']),
  ...arrows('lib/core/index.ts', ['./topic/topic.js'], ['../ports/clock.js', './../ports/clock.js', 'ws']),
  ...arrows('lib/core/metrics/own.ts', ['../routing/address.js'], ['../../ports/clock.js', '../bus/subject.js']),
  ...arrows('lib/core/newcomer/own.ts', ['./other.js'], ['../topic/topic.js']),
  pure(
    IMPORTS,
    'a type of Nest',
    "import type { Type as NAME } from '@nestjs/common';",
    "import type { NAME } from '../topic/topic.js';",
  ),
  pure(
    IMPORTS,
    'import()',
    "export const NAME = () => import('node:fs');",
    "export const NAME = () => import('../topic/topic.js');",
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

  // For browsers
  ...arrows(
    'lib/client/own.ts',
    ['./item-queue.js'],
    ['../core/topic/topic.js', '../index.js', 'centrifuge', 'nestjs-realtime', ...SHELL],
  ),

  // The arrows
  ...arrows(
    'lib/errors/own.error.ts',
    ['../core/topic/topic.js', './own.js'],
    ['../ports/clock.js', ...DOORS, ...below(1, ...OPTIONS)],
  ),
  ...arrows(
    'lib/ports/own.ts',
    ['../core/topic/topic.js', '../errors/realtime.error.js', '@nestjs/common'],
    [
      ...below(1, 'adapters/system/system-clock', 'delivery/local-delivery', 'gateway/realtime.gateway', ...OPTIONS),
      ...DOORS,
    ],
  ),
  ...['lib/adapters/redis/own.ts', 'lib/codecs/json/own.ts'].flatMap((file) =>
    arrows(
      file,
      [...below(2, 'core/topic/topic', 'errors/realtime.error', 'ports/clock'), './own.js', './bus/own.js', ...SHELL],
      [
        '../jwt/jwt-key.js',
        '../centrifuge/method.js',
        ...below(2, 'adapters/jwt/jwt-key', 'codecs/json/json-codec', ...NOT_ADAPTERS),
        'nestjs-realtime',
        ...INTERNAL,
      ],
    ),
  ),
  ...arrows(
    'lib/adapters/redis/bus/own.ts',
    [
      ...below(3, 'core/topic/topic', 'errors/realtime.error', 'ports/clock'),
      '../connection/redis-server.js',
      '../redis-assembly.js',
      './own.js',
      ...SHELL,
    ],
    [
      '../../jwt/jwt-key.js',
      '../../redis/connection/redis-server.js',
      '../connection/../../jwt/jwt-key.js',
      ...below(3, 'adapters/jwt/jwt-key', 'codecs/json/json-codec', ...NOT_ADAPTERS),
      ...below(4, 'lib/core/topic/topic'),
      'nestjs-realtime',
      ...INTERNAL,
    ],
  ),
  ...['lib/delivery/own.ts', 'lib/decorators/own.decorator.ts'].flatMap((file) =>
    arrows(file, BASE, [
      ...below(
        1,
        'codecs/json/json-codec',
        'gateway/realtime.gateway',
        'guards/realtime-auth.guard',
        'handlers/handler',
      ),
      ...below(1, ...OPTIONS),
      ...DOORS,
    ]),
  ),
  ...['lib/guards/own.guard.ts', 'lib/handlers/own.ts'].flatMap((file) =>
    arrows(
      file,
      [...BASE, '../decorators/on-message.decorator.js'],
      [
        ...below(1, 'codecs/json/json-codec', 'delivery/local-delivery', 'gateway/realtime.gateway', ...OPTIONS),
        ...DOORS,
      ],
    ),
  ),
  ...arrows('lib/guards/other.guard.ts', BASE, ['../handlers/handler.js']),
  ...arrows('lib/handlers/other.ts', BASE, ['../guards/realtime-auth.guard.js']),
  ...arrows(
    'lib/gateway/own.ts',
    [...BASE, ...below(1, ...GATEWAY), './session/own.js'],
    [...below(1, ...NOT_GATEWAY), ...DOORS],
  ),
  ...['upgrade', 'auth', 'session', 'socket'].flatMap((folder) =>
    arrows(
      `lib/gateway/${folder}/own.ts`,
      [
        ...below(2, 'core/topic/topic', 'errors/realtime.error', 'ports/clock', ...GATEWAY),
        '../realtime.gateway.js',
        '../session/session.js',
        './own.js',
        ...SHELL,
      ],
      [
        ...below(2, ...NOT_GATEWAY, ...ROOT, 'testing/index', 'adapters/jwt/jwt-key', 'gateway/session/session'),
        ...below(3, 'lib/core/topic/topic'),
        '../session/../../realtime.module.js',
        'nestjs-realtime',
        ...INTERNAL,
      ],
    ),
  ),
  ...arrows(
    'lib/inspector/own.ts',
    [...BASE, '../delivery/own.js', './page/own.js'],
    [...below(1, 'codecs/json/json-codec', 'gateway/realtime.gateway', 'handlers/handler', ...OPTIONS), ...DOORS],
  ),
  ...arrows(
    'lib/inspector/page/own.ts',
    ['./own.js', '../../core/topic/topic.js', '../inspector-options.js'],
    [...below(2, 'errors/realtime.error', 'delivery/own', 'index'), '../inspector.module.js', ...SHELL],
  ),
  ...arrows(
    'lib/options/own.ts',
    [...BASE, '../adapters/jwt/jwt-options.js', 'class-validator'],
    [
      ...below(1, 'codecs/json/json-codec', 'delivery/local-delivery', 'gateway/realtime.gateway', 'handlers/handler'),
      ...DOORS,
    ],
  ),
  ...arrows(
    'lib/realtime.service.ts',
    [
      './core/topic/topic.js',
      './errors/realtime.error.js',
      './ports/clock.js',
      './delivery/own.js',
      './options/own.js',
    ],
    [
      './realtime.module.js',
      './realtime.module-definition.js',
      './realtime.providers.js',
      './index.js',
      './gateway/realtime.gateway.js',
      './handlers/handler.js',
      './adapters/jwt/jwt-key.js',
      './testing/index.js',
      'nestjs-realtime',
      ...INTERNAL,
    ],
  ),
  ...[
    'lib/index.ts',
    'lib/realtime.module.ts',
    'lib/realtime.module-definition.ts',
    'lib/realtime.providers.ts',
  ].flatMap((file) =>
    arrows(
      file,
      [
        './realtime.module.js',
        './gateway/session/session.js',
        './adapters/jwt/jwt-key.js',
        './handlers/handler.js',
        './options/realtime.options.js',
      ],
      ['./testing/index.js', 'nestjs-realtime', ...INTERNAL],
    ),
  ),
  ...arrows(
    'lib/testing/own.ts',
    ['../realtime.module.js', '../gateway/session/session.js', '../options/realtime.options.js', 'ws'],
    ['nestjs-realtime', ...INTERNAL],
  ),
  ...arrows('lib/metrics/own.ts', ['./other.js', 'rxjs'], ['../core/topic/topic.js', '../realtime.module.js']),
  ...['lib/handlers/handler-pipeline.ts', 'lib/decorators/nest-metadata.ts'].flatMap((file) =>
    arrows(file, ['@nestjs/core', './own.js', '../core/topic/topic.js'], [...INTERNAL, '../realtime.module.js']),
  ),
  ...arrows('lib/core/nest-metadata.ts', ['./topic/topic.js'], INTERNAL),

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
