import { Injectable } from '@nestjs/common';
import type { Handler } from './handler.js';

/** What the application does when a connection comes and goes. */
export interface ConnectionHooks {
  readonly onConnect: readonly Handler[];
  readonly onDisconnect: readonly Handler[];
}

/** The `@OnConnect()` and `@OnDisconnect()` methods of the application, in the order in which they were found. */
@Injectable()
export class ConnectionHookRegistry implements ConnectionHooks {
  #hooks: ConnectionHooks = { onConnect: [], onDisconnect: [] };

  /** Puts these hooks in place of all others. */
  fill(hooks: ConnectionHooks): void {
    this.#hooks = hooks;
  }

  get onConnect(): readonly Handler[] {
    return this.#hooks.onConnect;
  }

  get onDisconnect(): readonly Handler[] {
    return this.#hooks.onDisconnect;
  }
}
