import type { RealtimeConnection } from '../../core/connection/connection.js';
import type { StreamPosition } from '../../core/history/history.js';
import { personalTopic } from '../../core/topic/reserved-topic.js';
import type { Push } from '../../core/protocol/push.js';
import type { Codec } from '../../ports/codec.js';
import type { ConnectionSocket } from '../../ports/connection-socket.js';
import { fitting, type FittingStart } from './fitting-start.js';
import type { SessionServices } from './session-services.js';

/** How a connection enters the topic of its user's own, in which what is sent to the user is kept. */
export class PersonalTopicSubscription {
  readonly topic: string;
  #admission: FittingStart | undefined;

  /** To be made before the connection is reachable: from then on it gets nothing of the topic until it has entered. */
  constructor(
    private readonly connection: RealtimeConnection,
    private readonly services: SessionServices,
  ) {
    this.topic = personalTopic(connection.userId);
    const { personalTopics: retention, limits } = services.settings;
    const settings = { retention: retention!, sendLatest: false, pageSize: limits.maxHistoryPage };
    services.streams.hold(this.topic, connection.id, settings);
  }

  /** True where sessions that speak this have such a topic. */
  static isFor({ hasPersonalTopics = false }: Codec, { settings }: SessionServices): boolean {
    return hasPersonalTopics && settings.personalTopics !== undefined;
  }

  /**
   * Once the connection is reachable.
   * @param asked where it was, when it wishes to recover
   * @returns nothing when it has entered, else a promise that rejects when the history cannot be read
   */
  enter(asked: StreamPosition | undefined): Promise<unknown> | undefined {
    const { streams, settings } = this.services;
    return streams.enter(this.topic, this.connection.id, asked, (admission) => {
      this.#admission = fitting(admission, settings.limits);
    });
  }

  /** What the welcome says of it. */
  get news(): Pick<Extract<Push, { kind: 'welcome' }>, 'personal'> {
    if (this.#admission === undefined) return {};
    const { frames: _followed, ...place } = this.#admission;
    return { personal: { topic: this.topic, ...place } };
  }

  /** Sends what was missed; it belongs right behind the welcome. */
  sendMissed(socket: ConnectionSocket): void {
    for (const frame of this.#admission?.frames ?? []) socket.send(frame.for(socket.codec));
    // It was kept for this.
    this.#admission = undefined;
  }
}
