import { join } from 'node:path';
import ts from 'typescript';
import { beforeAll, describe, expect, it } from 'vitest';
import { nestCompilerOptions } from './nest-tsconfig.js';
import { read, REPOSITORY } from './repository.js';

const { exports } = JSON.parse(read('package.json')) as { exports: Record<string, { types?: string }> };
const ENTRIES = Object.keys(exports)
  .filter((entry) => exports[entry]!.types !== undefined)
  .map((entry) => entry.replace('.', 'nestjs-realtime'));

/** Files that do not exist: a module that uses all entry points, and one that needs `@types/ws`. */
const EVERYTHING = join(REPOSITORY, 'everything.ts');
const NEEDS_WS = join(REPOSITORY, 'needs-ws.ts');
const TEXTS = new Map([
  [EVERYTHING, ENTRIES.map((entry, n) => `export * as entry${n} from '${entry}';`).join('\n')],
  [NEEDS_WS, "export type { WebSocket } from 'ws';"],
]);

/** Compiles the files strictly, with the declarations of packages, where `@types/ws` is not installed. */
function compile(): readonly ts.Diagnostic[] {
  const options: ts.CompilerOptions = {
    ...nestCompilerOptions(REPOSITORY),
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
  };
  const host = ts.createCompilerHost(options);
  const program = ts.createProgram([...TEXTS.keys()], options, {
    ...host,
    fileExists: (path) => TEXTS.has(path) || (!path.includes('/@types/ws/') && host.fileExists(path)),
    getSourceFile: (path, version) => {
      const text = TEXTS.get(path);
      return text === undefined ? host.getSourceFile(path, version) : ts.createSourceFile(path, text, version);
    },
  });
  return ts.getPreEmitDiagnostics(program);
}

describe('the declarations of the built package', () => {
  let errors: readonly { readonly file: string | undefined; readonly text: string }[];

  beforeAll(() => {
    errors = compile().map(({ file, messageText }) => ({
      file: file?.fileName,
      text: ts.flattenDiagnosticMessageText(messageText, '\n'),
    }));
  }, 120_000);

  it('compile with exactOptionalPropertyTypes and without @types/ws, those of every entry point', () => {
    expect(errors.filter(({ file }) => file !== NEEDS_WS)).toEqual([]);
  });

  it('twin: would not if they needed @types/ws', () => {
    expect(errors).toEqual([{ file: NEEDS_WS, text: expect.stringContaining("module 'ws'") }]);
  });
});
