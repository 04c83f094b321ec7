import {
  ConfigurableModuleBuilder,
  type FactoryProvider,
  type ModuleMetadata,
  type Provider,
  type Type,
} from '@nestjs/common';
import type { RealtimeBackend } from './ports/backend.js';
import type { RealtimeOptions } from './options/realtime.options.js';

/**
 * The arguments of `forRoot()` and `forRootAsync()` that determine how the module is built. They are always given directly,
 * because Nest needs them before any factory can run.
 * @publicApi
 */
export interface RealtimeModuleExtras {
  /** The adapters for the bus, the node directory, history and presence. Default: in memory, for one process. */
  backend?: RealtimeBackend;
  /** Replacements for single ports, such as `{ provide: JwtVerifier, useClass: MyVerifier }`; the last one for a token wins. */
  providers?: Provider[];
  /** Modules whose exports those providers, or a factory of options, inject. */
  imports?: ModuleMetadata['imports'];
  /** Whether all modules can inject the exports of this module without importing it. Default true. */
  isGlobal?: boolean;
}

/**
 * All that `RealtimeModule.forRoot()` takes: the options proper, and how the module is built.
 * @publicApi
 */
export interface RealtimeModuleOptions extends RealtimeOptions, RealtimeModuleExtras {}

/**
 * A class that makes the options, for `useClass` and `useExisting` of `RealtimeModule.forRootAsync()`.
 * @publicApi
 */
export interface RealtimeOptionsFactory {
  /** Returns the options; called once, when the application is made. */
  createRealtimeOptions(): RealtimeOptions | Promise<RealtimeOptions>;
}

/**
 * All that `RealtimeModule.forRootAsync()` takes: one of `useFactory` (with `inject`), `useClass` and `useExisting`, and how the
 * module is built.
 * @publicApi
 */
export interface RealtimeModuleAsyncOptions extends RealtimeModuleExtras {
  /** Returns the options; receives the providers that `inject` names. */
  useFactory?: FactoryProvider<RealtimeOptions>['useFactory'];
  /** Tokens of the arguments of `useFactory`. */
  inject?: FactoryProvider['inject'];
  /** A class that creates the options; it becomes a provider of the module. */
  useClass?: Type<RealtimeOptionsFactory>;
  /** A provider, exported by one of `imports`, that creates the options. */
  useExisting?: Type<RealtimeOptionsFactory>;
  /** Providers of the importing module; those that `inject` names are made available to the factory. */
  provideInjectionTokensFrom?: Provider[];
}

const NO_EXTRAS: RealtimeModuleExtras = {
  backend: undefined,
  providers: undefined,
  imports: undefined,
  isGlobal: true,
};

/**
 * Builds `forRoot()` and `forRootAsync()`.
 * @internal
 */
export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<RealtimeOptions>({
  moduleName: 'Realtime',
})
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createRealtimeOptions')
  .setExtras(NO_EXTRAS, (definition, { backend, providers = [], imports = [], isGlobal = true }) => ({
    ...definition,
    global: isGlobal,
    imports: [...(definition.imports ?? []), ...imports, ...(backend?.imports ?? [])],
    providers: [...(definition.providers ?? []), ...(backend?.providers ?? []), ...providers],
  }))
  .build();
