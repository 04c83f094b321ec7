import { Injectable } from '@nestjs/common';
import { userOfOnlineTopic } from '../../core/topic/reserved-topic.js';
import type { PresenceChange } from '../../core/presence/presence.js';
import { ConnectionEvents } from '../../delivery/connection-events.js';
import { LocalPresence } from '../../delivery/local-presence.js';
import { HandlerDispatcher } from '../../handlers/handler.dispatcher.js';

/**
 * Runs the application's hooks for the changes that this node has to act on: `@OnJoin()`, `@OnLeave()` and
 * `@OnPresenceUpdate()`, and the events of users going online and offline. The hooks of one user in one topic run
 * sequentially, so that a slow join cannot end after the leave.
 */
@Injectable()
export class PresenceHooks {
  readonly #running = new Map<string, Promise<void>>();

  constructor(
    presence: LocalPresence,
    private readonly dispatcher: HandlerDispatcher,
    private readonly events: ConnectionEvents,
  ) {
    presence.onChange((topic, change) => this.#changed(topic, change));
  }

  #changed(topic: string, change: PresenceChange): void {
    const userId = userOfOnlineTopic(topic);
    if (userId === undefined) this.#run(topic, change);
    else if (change.kind !== 'updated')
      this.events.emit({ type: change.kind === 'joined' ? 'online' : 'offline', userId });
  }

  #run(topic: string, change: PresenceChange): void {
    // A topic cannot contain a line break.
    const key = `${topic}\n${change.userId}`;
    const before = this.#running.get(key);
    const call = () => this.dispatcher.presenceChanged(topic, change);
    const run = before ? before.then(call) : call();
    if (run === undefined) return;
    this.#running.set(key, run);
    void run.finally(() => this.#ended(key, run));
  }

  #ended(key: string, run: Promise<void>): void {
    if (this.#running.get(key) === run) this.#running.delete(key);
  }
}
