// Runs main.ts, by the same rules as the tests: Node.js 20 runs no TypeScript.
import { fileURLToPath } from 'node:url';
import { loadConfigFromFile, runnerImport } from 'vite';

const path = (file) => fileURLToPath(new URL(file, import.meta.url));
const loaded = await loadConfigFromFile({ command: 'serve', mode: 'test' }, path('../../vitest.config.ts'));
const { module } = await runnerImport(path('main.ts'), { resolve: loaded.config.resolve });
process.exit(await module.main(process.argv.slice(2)));
