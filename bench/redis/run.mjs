// Runs main.ts: Node.js 20 runs no TypeScript. Start it with node --expose-gc, for the figures of memory.
import { fileURLToPath } from 'node:url';
import { loadConfigFromFile, runnerImport } from 'vite';

const path = (file) => fileURLToPath(new URL(file, import.meta.url));
const loaded = await loadConfigFromFile({ command: 'serve', mode: 'test' }, path('../../vitest.config.ts'));
await runnerImport(path('main.ts'), { resolve: loaded.config.resolve });
process.exit(0);
