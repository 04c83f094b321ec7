import type { ModuleMetadata, Provider } from '@nestjs/common';

/**
 * A backend: the bundle of adapters behind the ports that reach beyond this process. `RealtimeModule` takes one as its
 * `backend`; without one everything stays in memory.
 *
 * **For authors:** export a function that takes your options and returns this object. `providers` must provide
 * `MessageBus` (`{ provide: MessageBus, useClass: … }`), `NodeDirectory`, `HistoryStore` and `PresenceStore`, and whatever
 * these adapters need for themselves; they become providers of the realtime module, so a port may be injected into them,
 * such as `Clock`. A port that is left out stays in memory, and knows of one node. A function that is called twice returns
 * two independent bundles: one process may run several applications. Connect in `open()`, not in a constructor, and
 * close in `close()` what you opened. Run the contracts from `nestjs-realtime/testing` over your adapters.
 * @publicApi
 */
export interface RealtimeBackend {
  /** What logs and errors call it, such as `redis`. */
  readonly name: string;
  /** Modules that the providers need something from, such as the one that exports a `ConfigService`. */
  readonly imports?: ModuleMetadata['imports'];
  readonly providers: Provider[];
}
