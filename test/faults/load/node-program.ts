import { fileURLToPath } from 'node:url';
import { build } from 'vite';

/** Where the node's program may import packages from. */
export const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));

let program: Promise<string> | undefined;

/**
 * The text of `node/main.ts` with all that it imports from this repository: Node.js 20 runs no TypeScript, and a bundler
 * in the process under test would be in its memory, too.
 */
export function nodeProgram(): Promise<string> {
  return (program ??= bundle());
}

async function bundle(): Promise<string> {
  const result = await build({
    configFile: false,
    root: REPOSITORY,
    logLevel: 'warn',
    resolve: {
      alias: [
        { find: /^nestjs-realtime$/, replacement: `${REPOSITORY}lib/index.ts` },
        { find: /^nestjs-realtime\/(core|testing)$/, replacement: `${REPOSITORY}lib/$1/index.ts` },
        { find: /^nestjs-realtime\/(redis)$/, replacement: `${REPOSITORY}lib/adapters/$1/index.ts` },
      ],
    },
    build: {
      ssr: fileURLToPath(new URL('node/main.ts', import.meta.url)),
      target: 'node20',
      minify: false,
      write: false,
    },
  });
  if (!('output' in result)) throw new Error('The node program was not made in one go.');
  return result.output[0].code;
}
