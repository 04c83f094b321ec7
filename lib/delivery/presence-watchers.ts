import { Injectable } from '@nestjs/common';
import { MultiMap } from '../core/base/multi-map.js';

/** Which of this node's connections have asked to be told who joins and who leaves a topic. */
@Injectable()
export class PresenceWatchers {
  readonly #ids = new MultiMap();

  watch(topic: string, connectionId: string): void {
    this.#ids.add(topic, connectionId);
  }

  unwatch(topic: string, connectionId: string): void {
    this.#ids.remove(topic, connectionId);
  }

  /** The set is the index's own: do not keep or change it. */
  of(topic: string): ReadonlySet<string> {
    return this.#ids.get(topic);
  }
}
