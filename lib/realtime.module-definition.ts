import { ConfigurableModuleBuilder, type ModuleMetadata, type Provider } from '@nestjs/common';
import type { RealtimeBackend } from './ports/backend.js';
import type { RealtimeOptions } from './options/realtime.options.js';

/**
 * What of `forRoot()` and `forRootAsync()` says how the module is built, beside the options proper. Always given
 * directly: Nest must know it before any factory can run.
 * @publicApi
 */
export interface RealtimeModuleExtras {
  /** The adapters behind the bus, the list of nodes, histories and presence. Default: in memory, for one process. */
  backend?: RealtimeBackend;
  /** Replacements for single ports, such as `{ provide: JwtVerifier, useClass: MyVerifier }`; the last one for a token wins. */
  providers?: Provider[];
  /** Modules that export what those providers, or a factory of options, need. */
  imports?: ModuleMetadata['imports'];
  /** Whether all modules may inject what this one exports without importing it. Default true. */
  isGlobal?: boolean;
}

const NO_EXTRAS: RealtimeModuleExtras = {
  backend: undefined,
  providers: undefined,
  imports: undefined,
  isGlobal: true,
};

/**
 * The two ways in, `forRoot()` and `forRootAsync()`.
 * @internal
 */
export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<RealtimeOptions>({ moduleName: 'Realtime' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createRealtimeOptions')
    .setExtras(NO_EXTRAS, (definition, { backend, providers = [], imports = [], isGlobal = true }) => ({
      ...definition,
      global: isGlobal,
      imports: [...(definition.imports ?? []), ...imports, ...(backend?.imports ?? [])],
      providers: [...(definition.providers ?? []), ...(backend?.providers ?? []), ...providers],
    }))
    .build();
