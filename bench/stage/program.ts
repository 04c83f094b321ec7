import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

/** The folder of the benchmarks; what is installed in it are the peers. */
export const BENCH = fileURLToPath(new URL('..', import.meta.url));

/** The folder of the repository, where the package knows itself by its name, and has the modules it is developed with. */
export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

const programs = new Map<string, Promise<string>>();

/**
 * The text of a program with all that it imports from this folder, installed packages excepted: Node.js 20 runs no
 * TypeScript, and a compiler in the process that is measured would be measured, too.
 */
export function program(path: string, repository: string): Promise<string> {
  const file = join(repository, 'bench', path);
  let text = programs.get(file);
  if (!text) programs.set(file, (text = bundle(file, repository)));
  return text;
}

async function bundle(file: string, repository: string): Promise<string> {
  const result = await build({
    configFile: false,
    root: repository,
    logLevel: 'warn',
    build: {
      ssr: file,
      target: 'node20',
      minify: false,
      write: false,
      // The package is measured as it is built.
      rolldownOptions: { external: [/^nestjs-realtime(\/|$)/] },
    },
  });
  if (!('output' in result)) throw new Error(`${file} was not made in one go.`);
  return result.output[0].code;
}
