import type { ModuleMetadata, Provider } from '@nestjs/common';

/**
 * A backend: the bundle of adapters behind the ports that reach other processes. `RealtimeModule` takes one as its
 * `backend`; without one, everything stays in memory.
 *
 * **For authors:** export a function that takes your options and returns this object. `providers` must provide
 * `MessageBus` (`{ provide: MessageBus, useClass: … }`), `NodeDirectory`, `HistoryStore` and `PresenceStore`, and whatever
 * these adapters need. They become providers of the realtime module, so ports such as `Clock` can be injected into them. A
 * port that is left out stays in memory and knows only one node. If the function is called twice, it must return two
 * independent bundles, because one process may run several applications. Connect in `open()`, not in a constructor, and
 * close in `close()` what you opened. Run the contracts from `nestjs-realtime/testing` over your adapters.
 * @publicApi
 */
export interface RealtimeBackend {
  /** Name of the backend in logs and errors, such as `redis`. */
  readonly name: string;
  /** Modules whose exports the providers inject, such as one that exports a `ConfigService`. */
  readonly imports?: ModuleMetadata['imports'];
  readonly providers: Provider[];
}
