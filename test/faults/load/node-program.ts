import { fileURLToPath } from 'node:url';
import { build } from 'vite';

/** The folder from which the node's program imports packages. */
export const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));

const programs = new Map<string, Promise<string>>();

/**
 * The text of a program with all that it imports from this repository: Node.js 20 runs no TypeScript, and a bundler in the
 * process under test would be in its memory, too.
 * @param main its file; default that of a node with connections
 */
export function nodeProgram(main = fileURLToPath(new URL('node/main.ts', import.meta.url))): Promise<string> {
  const program = programs.get(main) ?? bundle(main);
  programs.set(main, program);
  return program;
}

async function bundle(main: string): Promise<string> {
  const result = await build({
    configFile: false,
    root: REPOSITORY,
    logLevel: 'warn',
    resolve: {
      alias: [
        { find: /^nestjs-realtime$/, replacement: `${REPOSITORY}lib/index.ts` },
        { find: /^nestjs-realtime\/(core|ports|testing)$/, replacement: `${REPOSITORY}lib/$1/index.ts` },
        { find: /^nestjs-realtime\/(redis)$/, replacement: `${REPOSITORY}lib/adapters/$1/index.ts` },
      ],
    },
    build: {
      ssr: main,
      target: 'node20',
      minify: false,
      write: false,
    },
  });
  if (!('output' in result)) throw new Error('The node program was not made in one go.');
  return result.output[0].code;
}
