import { Injectable } from '@nestjs/common';
import type { Handler } from './handler.js';

/** The application's hooks for the start and the end of a connection. */
export interface ConnectionHooks {
  readonly onConnect: readonly Handler[];
  readonly onDisconnect: readonly Handler[];
}

/** The `@OnConnect()` and `@OnDisconnect()` methods of the application, in the order in which they were found. */
@Injectable()
export class ConnectionHookRegistry implements ConnectionHooks {
  #hooks: ConnectionHooks = { onConnect: [], onDisconnect: [] };

  /** Replaces all hooks. */
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
