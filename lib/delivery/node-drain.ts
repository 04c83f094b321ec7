import { Injectable } from '@nestjs/common';

/** The end of this node's service: begun once, by whoever is first to ask, and the same for all who ask. */
@Injectable()
export class NodeDrain {
  readonly #work: (() => void | Promise<void>)[] = [];
  #started: Promise<void> | undefined;

  /** True once connections are being ended; no new ones are let in from then on. */
  get isDraining(): boolean {
    return this.#started !== undefined;
  }

  /** Adds something that is to be ended, and waited for. */
  onStart(work: () => void | Promise<void>): void {
    this.#work.push(work);
  }

  /** Ends the connections. Resolves when the last of them is gone. */
  start(): Promise<void> {
    return (this.#started ??= Promise.all(this.#work.map(async (work) => work())).then(() => undefined));
  }
}
