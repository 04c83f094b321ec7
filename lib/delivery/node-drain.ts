import { Injectable } from '@nestjs/common';

/** Drains this node, once: the first call begins the drain, and every further call shares it. */
@Injectable()
export class NodeDrain {
  readonly #work: (() => void | Promise<void>)[] = [];
  #started: Promise<void> | undefined;

  /** True once the drain has begun; new connections are refused from then on. */
  get isDraining(): boolean {
    return this.#started !== undefined;
  }

  /** Registers work that the drain starts and waits for. */
  onStart(work: () => void | Promise<void>): void {
    this.#work.push(work);
  }

  /** Ends the connections. Resolves when the last one is gone. */
  start(): Promise<void> {
    return (this.#started ??= Promise.all(this.#work.map(async (work) => work())).then(() => undefined));
  }
}
