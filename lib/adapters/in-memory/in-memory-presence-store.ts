import { topic as topicAddress } from '../../core/routing/address.js';
import type { PresencePicture } from '../../core/presence/presence-position.js';
import type { Presence, PresenceChange, PresenceMember } from '../../core/presence/presence.js';
import { PresenceTable } from '../../core/presence/presence-table.js';
import { subjectOf } from '../../core/bus/subject.js';
import type { MessageBus } from '../../ports/message-bus.js';
import { PresenceStore, type PresenceNode } from '../../ports/presence-store.js';

/** Keeps the members of topics for one node. Every call takes effect, and its change is announced, before it returns; no change is lost. */
export class InMemoryPresenceStore extends PresenceStore {
  #table = new PresenceTable();
  #node: PresenceNode | undefined;

  constructor(private readonly bus: MessageBus) {
    super();
  }

  open(node: PresenceNode): void {
    this.#node = node;
  }

  set(topic: string, member: PresenceMember, ageMs = 0): void {
    if (this.#node) this.#tell(topic, this.#table.set(this.#node.id, topic, member, performance.now() - ageMs));
  }

  remove(topic: string, userId: string): void {
    if (this.#node) this.#tell(topic, this.#table.remove(this.#node.id, topic, userId));
  }

  update(topic: string, userId: string, info: unknown): boolean {
    const { isThere, change } = this.#table.update(topic, userId, info, performance.now());
    this.#tell(topic, change);
    return isThere;
  }

  read(topic: string, limit: number): Presence {
    return this.#table.read(topic, limit);
  }

  picture(topic: string, limit: number): PresencePicture | undefined {
    const users = this.#table.infosOf(topic);
    return users.size > limit ? undefined : { isWhole: true, users };
  }

  positions(topics: readonly string[]): readonly undefined[] {
    return topics.map(() => undefined);
  }

  /** Forgets all members without publishing changes, because there are no other nodes. */
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
