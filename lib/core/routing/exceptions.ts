import type { Address } from './address.js';
import type { RecipientIndex } from './routing.js';

/** The connections that a message is not for. Asking about one takes the same time however many there are. */
export class Exceptions {
  readonly #ids = new Set<string>();
  /** The addresses that stand for more than one connection; nearly always none. */
  readonly #others: Address[] = [];

  /** @param except the addresses of the connections */
  constructor(
    except: readonly Address[],
    private readonly index: RecipientIndex,
  ) {
    for (const address of except) {
      if (address.kind === 'connection') this.#ids.add(address.id);
      else this.#others.push(address);
    }
  }

  /** True if the message is not for the connection. Addresses such as roles are resolved when this is called. */
  has(id: string): boolean {
    return this.#ids.has(id) || this.#others.some((address) => this.index.idsOf(address).has(id));
  }
}
