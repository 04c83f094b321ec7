// Runs main.ts: Node.js 20 runs no TypeScript. node --expose-gc bench/redis/run.mjs
import { fileURLToPath } from 'node:url';
import { loadConfigFromFile, runnerImport } from 'vite';

const path = (file) => fileURLToPath(new URL(file, import.meta.url));
const loaded = await loadConfigFromFile({ command: 'serve', mode: 'test' }, path('../../vitest.config.ts'));
const { module } = await runnerImport(path('main.ts'), { resolve: loaded.config.resolve });
await module.main();
process.exit(0);
