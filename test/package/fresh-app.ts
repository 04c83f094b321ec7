import { mkdtemp, mkdir, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run, type Outcome } from './child.js';
import { NEST_COMPILER_OPTIONS } from './nest-tsconfig.js';
import { REPOSITORY } from './repository.js';

/** The dependencies of `nest new`, and Fastify. */
const MANIFEST = {
  name: 'shop',
  private: true,
  type: 'module',
  dependencies: {
    '@nestjs/common': '^12.0.1',
    '@nestjs/core': '^12.0.1',
    '@nestjs/platform-express': '^12.0.1',
    '@nestjs/platform-fastify': '^12.0.1',
    'reflect-metadata': '^0.2.2',
    rxjs: '^7.8.1',
  },
  devDependencies: { '@types/express': '^5.0.0', '@types/node': '^24.0.0', typescript: '~6.0.3' },
};

/** A Nest application in a folder of its own, outside of the repository. */
export class FreshApp {
  private constructor(readonly folder: string) {}

  static async create(): Promise<FreshApp> {
    const app = new FreshApp(await realpath(await mkdtemp(join(tmpdir(), 'fresh-app-'))));
    await app.write('package.json', JSON.stringify(MANIFEST));
    const compilerOptions = { ...NEST_COMPILER_OPTIONS, rootDir: 'src', outDir: 'dist' };
    await app.write('tsconfig.json', JSON.stringify({ compilerOptions, include: ['src'] }));
    return app;
  }

  async write(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(this.folder, path)), { recursive: true });
    await writeFile(join(this.folder, path), text);
  }

  /** Packs this package, and says what is in it. */
  async pack(): Promise<{ readonly tarball: string; readonly files: readonly string[] }> {
    const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', this.folder];
    const { code, stdout, output } = await run('npm', args, REPOSITORY);
    if (code !== 0) throw new Error(output);
    const [packed] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
    return { tarball: join(this.folder, packed.filename), files: packed.files.map(({ path }) => path).sort() };
  }

  /** Runs a command in the application's folder. */
  run(program: string, args: readonly string[]): Promise<Outcome> {
    return run(program, args, this.folder);
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}
