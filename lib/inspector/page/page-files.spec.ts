import { join } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { PAGE_FILES, pageHtml } from './page-files.js';

/** What the compiler says of the scripts, as modules that a browser runs. */
function complaints(change: (text: string) => string = (text) => text): readonly string[] {
  const folder = join(import.meta.dirname, 'virtual');
  const scripts = new Map(
    [...PAGE_FILES]
      .filter(([name]) => name.endsWith('.js'))
      .map(([name, { text }]) => [join(folder, name), change(text)]),
  );
  const options: ts.CompilerOptions = {
    allowJs: true,
    checkJs: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ES2022,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    noUnusedLocals: true,
    skipLibCheck: true,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile, directoryExists } = host;
  const program = ts.createProgram([...scripts.keys()], options, {
    ...host,
    directoryExists: (path) => path === folder || (directoryExists?.(path) ?? true),
    fileExists: (path) => scripts.has(path) || fileExists(path),
    readFile: (path) => scripts.get(path) ?? readFile(path),
    getSourceFile: (path, language) => {
      const text = scripts.get(path);
      return text === undefined ? getSourceFile(path, language) : ts.createSourceFile(path, text, language);
    },
  });
  // What is undeclared, unused or misspelt; the types of elements are not worth annotations.
  const CODES = [2304, 2305, 2307, 2552, 2554, 6133, 1005, 1109, 1128];
  return program
    .getSourceFiles()
    .filter(({ fileName }) => scripts.has(fileName))
    .flatMap((source) => [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)])
    .filter(({ code, category }) => CODES.includes(code) || (category === ts.DiagnosticCategory.Error && code < 2_000))
    .map(
      ({ messageText, file }) =>
        `${file?.fileName.slice(folder.length + 1)}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
    );
}

it('the scripts parse, and use only what there is', () => {
  expect(complaints()).toEqual([]);
});

it('twin: a misspelt name would be found', () => {
  expect(complaints((text) => text.replace('showTotals(fleet)', 'showTotal(fleet)'))).not.toEqual([]);
});

it('no script turns a text into markup', () => {
  for (const { text } of PAGE_FILES.values()) {
    expect(text).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|DOMParser|srcdoc/);
  }
});

it('the page says which files it loads, and what it shows of messages', () => {
  const page = pageHtml('realtime/', 'payloads');
  expect(page).toContain('src="realtime/inspector.js"');
  expect(page).toContain('data-tail="payloads"');
  expect(page).not.toMatch(/\{(folder|tail)\}/);
});
