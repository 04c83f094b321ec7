import { topic as topicAddress } from '../../core/routing/address.js';
import type { Presence, PresenceChange, PresenceMember } from '../../core/presence/presence.js';
import { PresenceTable } from '../../core/presence/presence-table.js';
import { subjectOf } from '../../core/bus/subject.js';
import type { MessageBus } from '../../ports/message-bus.js';
import { PresenceStore, type PresenceNode } from '../../ports/presence-store.js';

/** Keeps the presence of a single node. A change takes effect and is announced in the same call. */
export class InMemoryPresenceStore extends PresenceStore {
  #table = new PresenceTable();
  #node: PresenceNode | undefined;

  constructor(private readonly bus: MessageBus) {
    super();
  }

  open(node: PresenceNode): void {
    this.#node = node;
  }

  set(topic: string, member: PresenceMember): void {
    if (this.#node) this.#tell(topic, this.#table.set(this.#node.id, topic, member));
  }

  remove(topic: string, userId: string): void {
    if (this.#node) this.#tell(topic, this.#table.remove(this.#node.id, topic, userId));
  }

  read(topic: string, limit: number): Presence {
    return this.#table.read(topic, limit);
  }

  /** Forgets all users without announcing it: no other node exists to which they could reconnect. */
  close(_graceMs: number): void {
    this.#node = undefined;
    this.#table = new PresenceTable();
  }

  #tell(topic: string, change: PresenceChange | undefined): void {
    if (change === undefined) return;
    const to = topicAddress(topic);
    // Only a bus that replaces the in-memory one answers later, or rejects.
    Promise.resolve(this.bus.publish(subjectOf(to)!, { to: [to], except: [], content: change }, SILENT)).catch(ignore);
    this.#node?.changed(topic, change);
  }
}

const SILENT = { report: false };

function ignore(): void {}
