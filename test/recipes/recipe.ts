import { mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { onTestFinished } from 'vitest';
import { codeBlocks, fileNameOf } from '../package/markdown.js';
import { nestCompilerOptions } from '../package/nest-tsconfig.js';
import { read, REPOSITORY } from '../package/repository.js';
import { startProgram, type Program, type ProgramOptions } from './program.js';

/** How the pages listen; here each server gets a free port of the loopback interface. */
const LISTENS = 'app.listen(process.env.PORT ?? 3000)';

/** What a page of `docs/recipes` tells to paste, in a folder of its own. */
export class Recipe {
  private constructor(readonly folder: string) {}

  /** Writes the files of a page, with TypeScript compiled. The caller removes the folder. */
  static async write(name: string): Promise<Recipe> {
    const recipe = new Recipe(await realpath(await mkdtemp(join(tmpdir(), `recipe-${name}-`))));
    await recipe.#write('package.json', JSON.stringify({ name, private: true, type: 'module' }));
    await recipe.#install();
    for (const block of codeBlocks(read(`docs/recipes/${name}.md`))) {
      const file = fileNameOf(block);
      if (file !== undefined) await recipe.#paste(file, block.code);
    }
    return recipe;
  }

  /** Runs a compiled script, such as `src/main.js`; it is killed when the test has finished, or as `finished` says. */
  async start(script: string, { finished = onTestFinished, ...options }: ProgramOptions = {}): Promise<Program> {
    const program = await startProgram(join(this.folder, script), this.folder, options);
    finished(() => program.kill());
    return program;
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }

  /** The packages of the repository, and this one as it was built. */
  async #install(): Promise<void> {
    const installed = join(REPOSITORY, 'node_modules');
    const packages = (await readdir(installed)).filter((entry) => !entry.startsWith('.'));
    const folder = join(this.folder, 'node_modules');
    await mkdir(folder);
    await Promise.all(packages.map((entry) => symlink(join(installed, entry), join(folder, entry), 'junction')));
    await symlink(REPOSITORY, join(folder, 'nestjs-realtime'), 'junction');
  }

  /** Code for Vite stays as it is: Vite compiles it. */
  async #paste(file: string, code: string): Promise<void> {
    if (!file.startsWith('src/')) return this.#write(file, code);
    const compilerOptions: ts.CompilerOptions = {
      ...nestCompilerOptions(REPOSITORY),
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      declaration: false,
    };
    const onLoopback = code.replace(LISTENS, "app.listen(0, '127.0.0.1')");
    const { outputText } = ts.transpileModule(onLoopback, { compilerOptions, fileName: file });
    return this.#write(file.replace(/\.ts$/, '.js'), outputText);
  }

  async #write(file: string, text: string): Promise<void> {
    await mkdir(dirname(join(this.folder, file)), { recursive: true });
    await writeFile(join(this.folder, file), text);
  }
}
