import { isBuiltin } from 'node:module';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { DOCUMENTS, filesIn, read } from './repository.js';

const { dependencies, peerDependencies } = JSON.parse(read('package.json')) as Record<string, Record<string, string>>;
const declared = Object.keys({ ...dependencies, ...peerDependencies });

/** `@nestjs/core` of `@nestjs/core/internal`. */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

const imported = new Set(
  filesIn('lib')
    .filter((path) => !path.endsWith('.spec.ts'))
    .flatMap((path) => ts.preProcessFile(read(path), true, true).importedFiles)
    .map(({ fileName }) => fileName)
    .filter((specifier) => !specifier.startsWith('.') && !specifier.startsWith('node:'))
    .map(packageOf),
);

/** Peers that no line of ours imports. */
const LOADED_BY_OTHERS = { 'class-transformer': 'node_modules/@nestjs/common/pipes/validation.pipe.js' };

describe('the dependencies', () => {
  it('are all that lib imports', () => {
    expect([...imported].filter((name) => !declared.includes(name))).toEqual([]);
  });

  it('are imported by lib, or loaded by Nest for what the README shows', () => {
    const needed = [...imported, ...Object.keys(LOADED_BY_OTHERS)];
    expect(declared.filter((name) => !needed.includes(name))).toEqual([]);
  });

  it.each(Object.entries(LOADED_BY_OTHERS))('hold %s because Nest loads it', (name, loader) => {
    expect(read(loader)).toContain(`'${name}'`);
  });

  it.each(Object.keys(peerDependencies!).filter((name) => name.startsWith('@nestjs/')))(
    'take %s of Nest 11 and 12',
    (name) => {
      expect(peerDependencies![name]).toBe('^11.0.0 || ^12.0.0');
    },
  );

  it('hold no name of a built-in module: those are imported with node:', () => {
    expect([...imported, ...declared].filter((name) => isBuiltin(name))).toEqual([]);
  });
});

describe('nothing that others see', () => {
  const FOREIGN = {
    'a path of a machine': /(?<![\w.])\/(work|root|tmp|home|Users)\/[\w.-]+/,
    'a package registry': /\/\/[\w.-]*(registry|artifactory|verdaccio|nexus)[\w.-]*/i,
  };
  const texts = [...filesIn('dist'), ...filesIn('bench'), ...DOCUMENTS, 'package.json', '.npmrc', 'package-lock.json'];

  it.each(Object.entries(FOREIGN))('mentions %s', (_what, pattern) => {
    const found = texts.flatMap((path) =>
      (pattern.exec(read(path)) ?? []).slice(0, 1).map((text) => `${path}: ${text}`),
    );
    expect(found).toEqual([]);
  });
});

describe.each(['package-lock.json', 'bench/package-lock.json'])('the lock file %s', (path) => {
  const packages = lockedIn(path);

  it('holds no address of a registry', () => {
    expect(Object.keys(packages).filter((name) => packages[name]!.resolved !== undefined)).toEqual([]);
  });

  // Else `npm ci` refuses it. npm leaves out the builds for other platforms that it cannot find at the moment.
  it('holds all that its packages depend on, for every platform', () => {
    const missing = Object.entries(packages).flatMap(([from, locked]) =>
      Object.keys({ ...locked.dependencies, ...locked.optionalDependencies }).filter((name) => !isFound(name, from)),
    );
    expect(missing).toEqual([]);
  });

  /** As Node.js looks for a package: beside the one that asks, or beside one of those that it is in. */
  function isFound(name: string, from: string): boolean {
    if (`${from}/node_modules/${name}`.replace(/^\//, '') in packages) return true;
    return from !== '' && isFound(name, from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/'))));
  }
});

// Compared servers must use the same versions of shared packages.
it.each(['@nestjs/core', '@nestjs/websockets', '@nestjs/platform-ws', 'ws', 'rxjs'])(
  'the benchmarks measure the package and the others on the same %s',
  (name) => {
    const [ours, theirs] = ['package-lock.json', 'bench/package-lock.json'].map(
      (path) => lockedIn(path)[`node_modules/${name}`]?.version,
    );
    expect(theirs).toBe(ours);
  },
);

function lockedIn(path: string): Record<string, LockedPackage> {
  return (JSON.parse(read(path)) as { packages: Record<string, LockedPackage> }).packages;
}

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly dependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
}
