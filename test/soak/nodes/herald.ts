import { setTimeout as delay } from 'node:timers/promises';
import type { SeededRandom } from '../../faults/load/seeded-random.js';
import type { Infos } from './infos.js';
import type { Nodes } from './nodes.js';

/** An application that shows another info of somebody now and then, on whichever node. */
export class Herald {
  #isOver = false;
  readonly #acting: Promise<void>;

  /** @param users those whose infos it changes, with their topics */
  constructor(
    private readonly users: readonly { readonly topic: string; readonly userId: string }[],
    private readonly nodes: Nodes,
    private readonly random: SeededRandom,
    private readonly infos: Infos,
  ) {
    this.#acting = this.#act();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#acting;
  }

  async #act(): Promise<void> {
    while (!this.#isOver) {
      await delay(200 + this.random.below(1_000));
      const { topic, userId } = this.random.pick(this.users);
      const node = this.random.pick(this.nodes.all);
      const given = this.infos.ask(topic, userId);
      const isThere = await node.ask('updatePresence', topic, userId, given.info).catch(() => undefined);
      if (isThere === true) this.infos.taken(given);
      else if (isThere === false) this.infos.refused(given);
    }
  }
}
