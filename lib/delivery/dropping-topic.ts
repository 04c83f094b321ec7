import type { DeliveryTarget } from './delivery-target.js';
import type { PacedNode } from './paced-node.js';

/**
 * A topic whose messages are left out for readers that cannot take them. From the first message that does not fit, a reader gets
 * none until all that waits has left; then it is told how many it has missed.
 */
export class DroppingTopic {
  readonly #readers = new Set<string>();
  /** The number of messages that were left out for readers that have not been told yet. */
  readonly #leftOut = new Map<string, number>();

  constructor(
    private readonly name: string,
    private readonly node: Pick<PacedNode, 'targets'>,
  ) {}

  get isEmpty(): boolean {
    return this.#readers.size === 0;
  }

  enter(id: string): void {
    this.#readers.add(id);
  }

  leave(id: string): void {
    this.#readers.delete(id);
    this.#leftOut.delete(id);
  }

  /**
   * Returns whether a message may be written to a reader; if not, it counts as left out.
   * @param bytes its size
   */
  takes(id: string, { socket }: DeliveryTarget, bytes: number): boolean {
    const before = this.#leftOut.get(id);
    if (before === undefined) {
      if (socket.hasRoomFor(bytes)) return true;
      const written = socket.written();
      if (written === undefined) return true;
      void written.then(() => this.#tell(id));
    }
    this.#leftOut.set(id, (before ?? 0) + 1);
    return false;
  }

  /**
   * Returns whether a volatile message may be written to a reader, which is not told of it otherwise. It does not come between
   * messages that were left out and the report about them.
   */
  takesVolatile(id: string, { socket }: DeliveryTarget): boolean {
    return !this.#leftOut.has(id) && socket.written() === undefined;
  }

  #tell(id: string): void {
    const count = this.#leftOut.get(id);
    if (count === undefined) return;
    this.#leftOut.delete(id);
    this.node.targets.get(id)?.leftOut(this.name, count);
  }
}
