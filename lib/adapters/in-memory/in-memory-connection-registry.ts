import { ConnectionIndex } from '../../core/connection/connection-index.js';
import type { RealtimeConnection } from '../../core/connection/connection.js';
import { ConnectionRegistry } from '../../ports/connection-registry.js';

/** Keeps the connections of this node in memory, indexed by id, user and role. */
export class InMemoryConnectionRegistry extends ConnectionRegistry {
  readonly #index = new ConnectionIndex();

  set(connection: RealtimeConnection): void {
    this.#index.set(connection);
  }

  remove(id: string): RealtimeConnection | undefined {
    return this.#index.remove(id);
  }

  get(id: string): RealtimeConnection | undefined {
    return this.#index.get(id);
  }

  idsOfUser(userId: string): ReadonlySet<string> {
    return this.#index.idsOfUser(userId);
  }

  idsOfRole(role: string): ReadonlySet<string> {
    return this.#index.idsOfRole(role);
  }

  ids(): ReadonlySet<string> {
    return this.#index.ids();
  }

  get userCount(): number {
    return this.#index.userCount;
  }
}
