// Runs run.ts: Node.js 20 runs no TypeScript.
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const { module } = await runnerImport(fileURLToPath(new URL('run.ts', import.meta.url)), { configFile: false });
try {
  process.exitCode = await module.main(process.argv.slice(2));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
