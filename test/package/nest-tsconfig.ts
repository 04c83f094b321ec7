import ts from 'typescript';

/** The `tsconfig.json` of `nest new` (`@nestjs/schematics` 12, ES modules), without the options that turn checks off. */
export const NEST_COMPILER_OPTIONS = {
  module: 'nodenext',
  moduleResolution: 'nodenext',
  resolvePackageJsonExports: true,
  esModuleInterop: true,
  isolatedModules: true,
  declaration: true,
  removeComments: true,
  emitDecoratorMetadata: true,
  experimentalDecorators: true,
  allowSyntheticDefaultImports: true,
  target: 'ES2023',
  strict: true,
  strictPropertyInitialization: false,
  skipLibCheck: false,
  types: ['node'],
};

/** The same for the compiler's API. */
export function nestCompilerOptions(folder: string): ts.CompilerOptions {
  return ts.convertCompilerOptionsFromJson(NEST_COMPILER_OPTIONS, folder).options;
}
