import { Injectable } from '@nestjs/common';
import { MultiMap } from '../core/base/multi-map.js';
import type { PresenceNews } from '../core/presence/presence-position.js';
import type { PresenceChange } from '../core/presence/presence.js';

/** Keeps the watchers of each topic consistent with its presence. */
export interface WatchedTopics {
  /** A topic has its first watcher on this node. */
  watch(topic: string): void;
  /** A topic has no watcher on this node any more. */
  unwatch(topic: string): void;
  /** @returns the changes to send to the watchers */
  hear(topic: string, news: PresenceNews): readonly PresenceChange[];
}

/** Tracks this node's connections that have asked for the joins and leaves of a topic. */
@Injectable()
export class PresenceWatchers {
  readonly #ids = new MultiMap();
  #watched: WatchedTopics | undefined;
  #catchUp: (connectionId: string) => void = () => {};

  /** @param catchUp gives a connection the news that it has still to get; called before it begins or stops watching a topic */
  beforeChange(catchUp: (connectionId: string) => void): void {
    this.#catchUp = catchUp;
  }

  /** @param watched learns which topics are watched, and decides which changes are sent; without it all changes are sent */
  follow(watched: WatchedTopics): void {
    this.#watched = watched;
  }

  watch(topic: string, connectionId: string): void {
    this.#catchUp(connectionId);
    const isFirst = this.of(topic).size === 0;
    this.#ids.add(topic, connectionId);
    if (isFirst) this.#watched?.watch(topic);
  }

  unwatch(topic: string, connectionId: string): void {
    this.#catchUp(connectionId);
    const { size } = this.of(topic);
    this.#ids.remove(topic, connectionId);
    if (size === 1 && this.of(topic).size === 0) this.#watched?.unwatch(topic);
  }

  /** Returns the live set of the index: do not keep or change it. */
  of(topic: string): ReadonlySet<string> {
    return this.#ids.get(topic);
  }

  /** Takes the presence news of a topic. @returns the changes to send to the watchers */
  hear(topic: string, news: PresenceNews): readonly PresenceChange[] {
    if (this.of(topic).size === 0) return NOTHING;
    if (this.#watched) return this.#watched.hear(topic, news);
    const { at: _place, ...change } = news;
    return [change];
  }
}

const NOTHING: readonly PresenceChange[] = [];
