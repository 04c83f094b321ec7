import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import type { StagePlan } from './test/helpers/stage.js';

const lib = (file: string) => fileURLToPath(new URL(`lib/${file}`, import.meta.url));

const redis = './test/helpers/redis-installation.ts';

/** What the cases of `test/e2e/sending` run on. */
const STAGES = {
  'in memory': { nodes: 1, backend: 'memory' },
  'on Redis': { nodes: 1, backend: 'redis' },
  'on Redis, three nodes': { nodes: 3, backend: 'redis' },
  'on Redis Sentinel, three nodes': { nodes: 3, backend: 'redis-sentinel' },
  'on a Redis Cluster, three nodes': { nodes: 3, backend: 'redis-cluster' },
} as const satisfies Record<string, StagePlan>;

export default defineConfig({
  resolve: {
    alias: [
      { find: /^nestjs-realtime$/, replacement: lib('index.ts') },
      { find: /^nestjs-realtime\/(client|core|inspector|ports|testing)$/, replacement: lib('$1/index.ts') },
      { find: /^nestjs-realtime\/(jwks|otel|prometheus|redis|terminus)$/, replacement: lib('adapters/$1/index.ts') },
    ],
  },
  test: {
    reporters: ['default', './test/helpers/summary-reporter.ts'],
    // Vitest leaves one core alone; but most tests wait most of the time.
    maxWorkers: Math.max(2, availableParallelism()),
    // Deadlines for a machine that does other things too: a wait ends with its event.
    testTimeout: 20_000,
    hookTimeout: 30_000,
    expect: { poll: { timeout: 15_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          globalSetup: redis,
          include: ['{lib,bench}/**/*.spec.ts', 'test/{helpers,resuming,soak/*}/*.spec.ts'],
        },
      },
      { extends: true, test: { name: 'contract', globalSetup: redis, include: ['test/contract/**/*.contract.ts'] } },
      { extends: true, test: { name: 'e2e', include: ['test/e2e/!(sending)/*.e2e-spec.ts'] } },
      {
        extends: true,
        test: {
          name: 'e2e of SDKs in Protobuf',
          env: { SDK_FORM: 'protobuf' },
          isolate: false,
          include: ['test/e2e/centrifuge/*.e2e-spec.ts'],
        },
      },
      ...Object.entries(STAGES).map(([where, stage]) => ({
        extends: true as const,
        test: {
          // One of them takes the tests of every change above their 15 minutes: it runs with the long ones.
          name: stage.backend === 'redis-sentinel' ? `long e2e ${where}` : `e2e ${where}`,
          provide: { stage },
          globalSetup: './test/helpers/stage-redis.ts',
          isolate: false,
          include: ['test/e2e/sending/*.e2e-spec.ts'],
        },
      })),
      {
        extends: true,
        test: {
          name: 'faults',
          include: ['test/faults/!(redis)/*.faults.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'faults on Redis',
          globalSetup: redis,
          isolate: false,
          // They wait for servers most of the time.
          maxWorkers: 6,
          sequence: { groupOrder: 1 },
          include: ['test/faults/redis/*.faults.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'package',
          include: ['test/package/**/*.spec.ts'],
          globalSetup: [redis, './test/package/built-package.ts'],
          testTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'long recipes',
          isolate: false,
          include: ['test/recipes/*.spec.ts'],
          globalSetup: [redis, './test/package/built-package.ts'],
          testTimeout: 90_000,
          hookTimeout: 90_000,
          expect: { poll: { timeout: 30_000 } },
        },
      },
      {
        extends: true,
        test: {
          name: 'long',
          include: ['test/long/*.long-spec.ts'],
          globalSetup: [redis, './test/package/built-package.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          include: ['test/browser/**/*.browser-spec.ts'],
          globalSetup: ['./test/package/built-package.ts', './test/browser/compiled-samples.ts', redis],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          expect: { poll: { timeout: 20_000 } },
        },
      },
    ],
  },
});
