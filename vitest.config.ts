import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const lib = (file: string) => fileURLToPath(new URL(`lib/${file}`, import.meta.url));

const redis = './test/helpers/redis-installation.ts';

export default defineConfig({
  resolve: {
    alias: [
      { find: /^nestjs-realtime$/, replacement: lib('index.ts') },
      { find: /^nestjs-realtime\/(core|testing)$/, replacement: lib('$1/index.ts') },
      { find: /^nestjs-realtime\/(jwks|redis)$/, replacement: lib('adapters/$1/index.ts') },
    ],
  },
  test: {
    reporters: ['default', './test/helpers/summary-reporter.ts'],
    projects: [
      {
        extends: true,
        test: { name: 'unit', globalSetup: redis, include: ['lib/**/*.spec.ts', 'test/helpers/*.spec.ts'] },
      },
      { extends: true, test: { name: 'contract', globalSetup: redis, include: ['test/contract/**/*.contract.ts'] } },
      { extends: true, test: { name: 'e2e', globalSetup: redis, include: ['test/e2e/**/*.e2e-spec.ts'] } },
      {
        extends: true,
        test: { name: 'faults', globalSetup: redis, include: ['test/faults/**/*.faults.ts'], testTimeout: 60_000 },
      },
      {
        extends: true,
        test: {
          name: 'package',
          include: ['test/package/**/*.spec.ts'],
          globalSetup: './test/package/built-package.ts',
          testTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          include: ['test/browser/**/*.browser-spec.ts'],
          globalSetup: ['./test/package/built-package.ts', './test/browser/compiled-sample.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          expect: { poll: { timeout: 20_000 } },
        },
      },
    ],
  },
});
