import type { RealtimeConnection } from '../../core/connection/connection.js';
import type { ConnectionEvents } from '../../delivery/connection-events.js';
import type { ConnectionClose, HandlerDispatcher } from '../../handlers/handler.dispatcher.js';

/** The collaborators of {@link HookOrder}. */
interface Services {
  readonly events: Pick<ConnectionEvents, 'emit'>;
  readonly dispatcher: Pick<HandlerDispatcher, 'connected' | 'unsubscribed' | 'disconnected'>;
}

/** Shared by all connections of an application without hooks: each keeps its promise as long as it lives. */
const NO_HOOKS = Promise.resolve();

/**
 * The order of the application's hooks and events for one connection: connected, then unsubscribed for each topic that is
 * left, then disconnected. The hooks of the end wait for the hooks of the beginning. A connection whose `@OnConnect()` was never
 * called ends without a hook or an event.
 */
export class HookOrder {
  /** The hooks that run or have run; missing before the beginning. */
  #hooks: Promise<void> | undefined;

  constructor(private readonly services: Services) {}

  /** Fulfils when every started hook has run. */
  get settled(): Promise<void> | undefined {
    return this.#hooks;
  }

  /**
   * @returns nothing if there are no hooks
   * @throws RealtimeError when an `@OnConnect()` refuses the connection, as the promise's rejection
   */
  connected(connection: RealtimeConnection): Promise<void> | undefined {
    const { dispatcher, events } = this.services;
    const connected = dispatcher.connected(connection);
    // From here on the end is announced, even if it comes at once: a listener of the event may cause it.
    this.#hooks = connected?.catch(() => undefined) ?? NO_HOOKS;
    events.emit({ type: 'connected', connection });
    return connected;
  }

  /**
   * Runs the hooks of a topic that the connection has left while it stays open; those of the end wait for them. The promise never
   * rejects.
   */
  left(connection: RealtimeConnection, topic: string): Promise<void> {
    this.services.events.emit({ type: 'unsubscribed', connection, topic });
    return this.undone(connection, topic);
  }

  /**
   * Runs the hook of a topic that a handler has let the connection into, but that it did not enter, so that there is no event. The
   * hooks of the end wait for it; if the handler outlived the connection, it runs after them. The promise never rejects.
   */
  undone(connection: RealtimeConnection, topic: string): Promise<void> {
    const hook = this.services.dispatcher.unsubscribed(connection, topic);
    this.#hooks = this.#hooks?.then(() => hook);
    return hook;
  }

  /** Runs the hooks of the end. @param topics the topics that the connection was subscribed to until then */
  ended(connection: RealtimeConnection, topics: readonly string[], close: ConnectionClose): void {
    if (this.#hooks) this.#hooks = this.#farewell(this.#hooks, connection, topics, close);
  }

  async #farewell(
    before: Promise<void>,
    connection: RealtimeConnection,
    topics: readonly string[],
    close: ConnectionClose,
  ): Promise<void> {
    const { dispatcher, events } = this.services;
    await before;
    for (const topic of topics) {
      events.emit({ type: 'unsubscribed', connection, topic });
      await dispatcher.unsubscribed(connection, topic);
    }
    events.emit({ type: 'disconnected', connection, ...close });
    await dispatcher.disconnected(connection, close);
  }
}
