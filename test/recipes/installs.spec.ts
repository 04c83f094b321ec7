import ts from 'typescript';
import { expect, it } from 'vitest';
import { codeBlocks, fileNameOf } from '../package/markdown.js';
import { filesIn, read } from '../package/repository.js';

/** The packages of an application that `nest new` makes. */
const NEST_NEW = ['@nestjs/common', '@nestjs/core', '@nestjs/platform-express', 'rxjs'];

/** The pages that are programs. */
const PROGRAMS = filesIn('docs/recipes').filter((page) =>
  codeBlocks(read(page)).some((block) => fileNameOf(block) === 'src/main.ts'),
);

it.each(PROGRAMS)('every package that the program imports is installed by the command of its page: %s', (page) => {
  const blocks = codeBlocks(read(page));
  const imported = blocks
    .filter((block) => fileNameOf(block)?.endsWith('.ts'))
    .flatMap(({ code }) => ts.preProcessFile(code, true, true).importedFiles)
    .map(({ fileName }) => fileName)
    .filter((name) => !name.startsWith('.') && !name.startsWith('node:'))
    .map((name) => /^(@[^/]+\/)?[^/]+/.exec(name)![0]);
  const installed = blocks
    .filter(({ info }) => info === 'sh')
    .flatMap(({ code }) => code.split('\n'))
    .filter((line) => line.startsWith('npm i '))
    .flatMap((line) => line.split(' ').slice(2));
  expect(imported.filter((name) => ![...NEST_NEW, ...installed].includes(name))).toEqual([]);
});
