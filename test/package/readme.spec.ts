import { dirname, join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { codeBlocks, fileNameOf } from './markdown.js';
import { nestCompilerOptions } from './nest-tsconfig.js';
import { DOCUMENTS, read, REPOSITORY } from './repository.js';

/**
 * Every block of code of every document, under the name of a file that does not exist. Those of a document that have a file name, as
 * in `ts src/main.ts`, are in one folder, and import each other.
 */
const BLOCKS = DOCUMENTS.flatMap((path) =>
  codeBlocks(read(path)).map((block) => {
    const [language] = block.info.split(' ');
    const name = fileNameOf(block);
    return {
      ...block,
      language,
      place: `${path}:${block.line}`,
      file: join(REPOSITORY, name === undefined ? `${path}.${block.line}.${language}` : `${path}.files/${name}`),
    };
  }),
);

const TYPESCRIPT = BLOCKS.filter(({ language }) => language === 'ts' || language === 'tsx');

/** Returns the compiler's errors in the TypeScript blocks, each a separate module in an application of `nest new`. */
const complaints = (() => {
  const texts = new Map(TYPESCRIPT.map(({ file, code }) => [file, code]));
  const options: ts.CompilerOptions = {
    ...nestCompilerOptions(REPOSITORY),
    noEmit: true,
    noUnusedLocals: true,
    skipLibCheck: true,
    jsx: ts.JsxEmit.ReactJSX,
    paths: sources(),
  };
  const folders = new Set([...texts.keys()].map((file) => dirname(file)));
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, directoryExists } = host;
  const compilerHost: ts.CompilerHost = {
    ...host,
    fileExists: (file) => texts.has(file) || fileExists(file),
    readFile: (file) => texts.get(file) ?? readFile(file),
    directoryExists: (folder) => folders.has(folder) || directoryExists!(folder),
    getSourceFile: (file, language) => {
      const text = texts.get(file) ?? readFile(file);
      return text === undefined ? undefined : ts.createSourceFile(file, text, language);
    },
  };
  const program = ts.createProgram([...texts.keys()], options, compilerHost);
  return (file: string) => {
    const source = program.getSourceFile(file)!;
    return [
      ...program.getSyntacticDiagnostics(source),
      ...program.getSemanticDiagnostics(source),
      ...program.getDeclarationDiagnostics(source),
    ].map((diagnostic) => described(diagnostic, source));
  };
})();

/** The source files of the package's entry points. */
function sources(): ts.MapLike<string[]> {
  const { compilerOptions } = JSON.parse(read('tsconfig.json')) as { compilerOptions: { paths: ts.MapLike<string[]> } };
  return Object.fromEntries(
    Object.entries(compilerOptions.paths).map(([name, files]) => [name, files.map((file) => join(REPOSITORY, file))]),
  );
}

function described({ start = 0, messageText }: ts.Diagnostic, source: ts.SourceFile): string {
  const { line } = source.getLineAndCharacterOfPosition(start);
  return `line ${line + 1} of the block: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
}

describe('a block of TypeScript in a document', () => {
  it.each(TYPESCRIPT)('compiles: $place', ({ file }) => {
    expect(complaints(file)).toEqual([]);
  });
});

describe('a block of JavaScript or JSON in a document', () => {
  it.each(BLOCKS.filter(({ language }) => language === 'js'))('can be parsed: $place', ({ code }) => {
    const compilerOptions = { module: ts.ModuleKind.ESNext, allowJs: true };
    const { diagnostics } = ts.transpileModule(code, {
      compilerOptions,
      fileName: 'block.js',
      reportDiagnostics: true,
    });
    expect(diagnostics?.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([]);
  });

  it.each(BLOCKS.filter(({ language }) => language === 'json'))('can be parsed: $place', ({ code }) => {
    expect(() => JSON.parse(code) as unknown).not.toThrow();
  });
});

it('the quick start is the same in the README and in the documentation', () => {
  const [inReadme, inDocs] = ['README.md', 'docs/start/quick-start.md'].map((path) =>
    codeBlocks(read(path)).find(({ info }) => info === 'ts quick-start'),
  );
  expect(inDocs!.code).toBe(inReadme!.code);
});

it('the README is short enough to be read, at most 250 lines', () => {
  expect(read('README.md').split('\n').length - 1).toBeLessThanOrEqual(250);
});

it('every block of code says what language it is in, or that it is none', () => {
  const ours = ['ts', 'tsx', 'js', 'json', 'html', 'sh', 'nginx', 'yaml', ''];
  // Not compiled here: their frameworks and compilers are not installed.
  const others = ['angular-ts', 'vue', 'dart', 'swift', 'kotlin', 'go', 'python'];
  const known = [...ours, ...others];
  expect(BLOCKS.filter(({ language }) => !known.includes(language!)).map(({ place }) => place)).toEqual([]);
});
