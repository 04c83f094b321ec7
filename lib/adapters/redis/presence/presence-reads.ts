import type { PresencePicture, PresencePosition, PresenceReading } from '../../../core/presence/presence-position.js';
import type { PresenceMember } from '../../../core/presence/presence.js';
import { unavailable } from '../connection/redis-connection.js';
import type { PresenceCalls } from './presence-calls.js';
import type { PresencePartition } from './presence-partition.js';
import type { PresencePage } from './presence-text.js';

/** Most entries that one command of Redis touches. */
const PAGE = 1_000;

/** Most topics that one command reads. */
const TOPICS = 500;

/** Reads of one node in one partition. A read sees everything that the node has reported before it. */
export class PresenceReads {
  constructor(
    private readonly calls: PresenceCalls,
    private readonly partition: PresencePartition,
  ) {}

  async read(topic: string, limit: number): Promise<PresenceReading> {
    const { first, members } = await this.#members(topic, limit);
    const listed = members.size > limit ? [...members.values()].slice(0, limit) : [...members.values()];
    return { topic, users: listed, userCount: first.users, connectionCount: first.connections, at: first.at };
  }

  async picture(topic: string, limit: number): Promise<PresencePicture | undefined> {
    const { first, members } = await this.#members(topic, limit, true);
    if (Math.max(first.users, members.size) > limit) return undefined;
    const users = new Map([...members.values()].map(({ userId, info }) => [userId, info]));
    return { at: first.at, isWhole: first.isWhole, users };
  }

  async positions(topics: readonly string[]): Promise<PresencePosition[]> {
    const found: PresencePosition[] = [];
    for (let i = 0; i < topics.length; i += TOPICS) {
      found.push(...(await this.calls.positions(topics.slice(i, i + TOPICS))));
    }
    return found;
  }

  /** @param isAllOrNone true to stop reading once the members are known to exceed the limit */
  async #members(
    topic: string,
    limit: number,
    isAllOrNone = false,
  ): Promise<{ readonly first: PresencePage; readonly members: ReadonlyMap<string, PresenceMember> }> {
    const first = await this.#first(topic, limit);
    const members = new Map<string, PresenceMember>();
    for (let page = first; ;) {
      for (const member of page.members) members.set(member.userId, member);
      if (page.cursor === '0' || members.size >= limit || (isAllOrNone && first.users > limit)) break;
      page = await this.calls.page(topic, page.cursor, PAGE);
      if (page.at.epoch !== first.at.epoch) throw unavailable();
    }
    return { first, members };
  }

  /** The first page, of an epoch in which this node has reported its own entries. */
  async #first(topic: string, limit: number): Promise<PresencePage> {
    for (let time = 0; time < 2; time++) {
      await this.partition.flushed();
      const page = await this.calls.page(topic, '0', Math.min(PAGE, limit));
      if (page.at.epoch === this.partition.epoch) return page;
      // Data was lost, and this node has not noticed yet.
      await this.partition.tend();
    }
    throw unavailable();
  }
}
