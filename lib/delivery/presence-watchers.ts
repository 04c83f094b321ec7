import { Injectable } from '@nestjs/common';
import { MultiMap } from '../core/base/multi-map.js';
import type { PresenceNews } from '../core/presence/presence-position.js';
import type { PresenceChange } from '../core/presence/presence.js';

/** Keeps true what the watchers of each topic were told. */
export interface WatchedTopics {
  /** A topic has its first watcher on this node. */
  watch(topic: string): void;
  /** A topic has no watcher on this node any more. */
  unwatch(topic: string): void;
  /** @returns what of it the watchers are to be told */
  hear(topic: string, news: PresenceNews): readonly PresenceChange[];
}

/** Which of this node's connections have asked to be told who joins and who leaves a topic. */
@Injectable()
export class PresenceWatchers {
  readonly #ids = new MultiMap();
  #watched: WatchedTopics | undefined;

  /** @param watched told from now on which topics are watched, and asked what is to be told; without it all news are */
  follow(watched: WatchedTopics): void {
    this.#watched = watched;
  }

  watch(topic: string, connectionId: string): void {
    const isFirst = this.of(topic).size === 0;
    this.#ids.add(topic, connectionId);
    if (isFirst) this.#watched?.watch(topic);
  }

  unwatch(topic: string, connectionId: string): void {
    const { size } = this.of(topic);
    this.#ids.remove(topic, connectionId);
    if (size === 1 && this.of(topic).size === 0) this.#watched?.unwatch(topic);
  }

  /** The set is the index's own: do not keep or change it. */
  of(topic: string): ReadonlySet<string> {
    return this.#ids.get(topic);
  }

  /** News of a topic have arrived. @returns what of them the watchers are to be told */
  hear(topic: string, news: PresenceNews): readonly PresenceChange[] {
    if (this.of(topic).size === 0) return NOTHING;
    if (this.#watched) return this.#watched.hear(topic, news);
    const { at: _place, ...change } = news;
    return [change];
  }
}

const NOTHING: readonly PresenceChange[] = [];
