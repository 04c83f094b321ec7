import { topic as topicAddress } from '../../lib/core/routing/address.js';
import type { PresencePicture } from '../../lib/core/presence/presence-position.js';
import type { Presence, PresenceChange, PresenceMember } from '../../lib/core/presence/presence.js';
import { subjectOf } from '../../lib/core/bus/subject.js';
import { PresenceStore, type PresenceNode } from '../../lib/ports/presence-store.js';
import { HubBus, type Hub } from './hub.js';

/** A store that notices a crash at once. */
export class HubPresenceStore extends PresenceStore {
  #node: PresenceNode | undefined;

  constructor(
    readonly hub: Hub,
    readonly bus: HubBus = new HubBus(hub),
  ) {
    super();
  }

  open(node: PresenceNode): void {
    this.#node = node;
    this.hub.witnesses.add(this);
  }

  set(topic: string, member: PresenceMember): void {
    if (this.#node) this.tell(topic, this.hub.present.set(this.#node.id, topic, member));
  }

  remove(topic: string, userId: string): void {
    if (this.#node) this.tell(topic, this.hub.present.remove(this.#node.id, topic, userId));
  }

  read(topic: string, limit: number): Presence {
    return this.hub.present.read(topic, limit);
  }

  update(topic: string, userId: string, info: unknown): boolean {
    const { isThere, change } = this.hub.present.update(topic, userId, info);
    this.tell(topic, change);
    return isThere;
  }

  picture(topic: string, limit: number): PresencePicture | undefined {
    const users = this.hub.present.infosOf(topic);
    return users.size > limit ? undefined : { isWhole: true, users };
  }

  positions(topics: readonly string[]): readonly undefined[] {
    return topics.map(() => undefined);
  }

  close(graceMs: number): void {
    const node = this.#end();
    if (node) setTimeout(() => this.#forget(node), graceMs).unref();
  }

  readonly crash = (): void => {
    const node = this.#end();
    if (node) this.#forget(node);
  };

  /** Any bus of the hub carries it: this node's own may be closed. */
  tell(topic: string, change: PresenceChange | undefined): void {
    if (change === undefined) return;
    const to = topicAddress(topic);
    for (const bus of this.hub.buses) {
      void bus.publish(subjectOf(to)!, { to: [to], except: [], content: change }, { report: false });
      break;
    }
    this.#node?.changed(topic, change);
  }

  #end(): PresenceNode | undefined {
    const node = this.#node;
    this.#node = undefined;
    this.hub.witnesses.delete(this);
    return node;
  }

  #forget({ id }: PresenceNode): void {
    const [witness] = this.hub.witnesses;
    for (const [topic, change] of this.hub.present.drop(id)) witness?.tell(topic, change);
  }
}
