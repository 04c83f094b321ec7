import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ALL_SUBJECT, nodeSubject } from '../core/bus/subject.js';
import { Clock } from '../ports/clock.js';
import { ConnectionRegistry } from '../ports/connection-registry.js';
import { MessageBus } from '../ports/message-bus.js';
import { NodeDirectory } from '../ports/node-directory.js';
import { PubSubManager } from '../ports/pub-sub-manager.js';
import { ConnectionEvents } from './connection-events.js';
import { EnvelopeRouter } from './envelope-router.js';
import { LocalQuery } from './local-query.js';
import { LocalPresence } from './local-presence.js';
import { countsOf } from './node-counts.js';
import { NodeIdentity } from './node-identity.js';
import { NodeLifecycle } from './node-lifecycle.js';
import { NodeMeter } from './node-meter.js';
import { PresencePictures } from './presence-pictures.js';
import { PublishedStreams } from './published-streams.js';
import { TopicStreams } from './topic-streams.js';
import { SafeLogger } from '../errors/safe-logger.js';

/** Attaches this node to the bus, and keeps the node and its users in the shared directories, while the application runs. */
@Injectable()
export class BusAttachment implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  readonly #logger = new SafeLogger(BusAttachment.name);

  constructor(
    private readonly bus: MessageBus,
    private readonly directory: NodeDirectory,
    private readonly router: EnvelopeRouter,
    private readonly streams: TopicStreams,
    private readonly queries: LocalQuery,
    private readonly node: NodeIdentity,
    private readonly registry: ConnectionRegistry,
    private readonly pubSub: PubSubManager,
    private readonly clock: Clock,
    private readonly events: ConnectionEvents,
    private readonly presence: LocalPresence,
    private readonly lifecycle: NodeLifecycle,
    private readonly pictures: PresencePictures,
    private readonly meter: NodeMeter,
    private readonly published: PublishedStreams,
  ) {}

  async onModuleInit(): Promise<void> {
    const { id } = this.node;
    this.streams.start();
    this.pictures.start();
    await this.bus.open({
      id,
      receive: (envelope, isRemote, leftOut) => this.router.route(envelope, isRemote, leftOut),
      respond: this.queries.run,
      missed: this.#missed,
      roundTrip: this.meter.busRoundTrip,
    });
    const joined = Promise.all([this.bus.join(ALL_SUBJECT), this.bus.join(nodeSubject(id))]);
    if (this.bus.isAttached) await joined;
    // The application may be configured to start without its bus; the bus keeps retrying.
    else
      joined.catch((error: unknown) => this.#logger.warn(`Not attached to the bus yet: ${(error as Error).message}`));
    const counts = () => countsOf(this.registry, this.pubSub);
    await this.directory.open({ id, startedAt: new Date(this.clock.now()), counts });
    await this.presence.open(id);
  }

  /** Starts reporting presence changes: all handlers are known by now, and all event listeners are registered. */
  onApplicationBootstrap(): void {
    this.presence.release();
  }

  /** Nest's last hook: other providers may still send while they are being destroyed. */
  async onApplicationShutdown(): Promise<void> {
    this.lifecycle.closed();
    this.published.close();
    await this.presence.close();
    // The last report of this node's users may have caused events, which no other node emits.
    this.events.close();
    await this.directory.close();
    await this.bus.close();
    this.streams.stop();
    this.pictures.stop();
  }

  readonly #missed = (): void => {
    this.streams.doubtAll();
    this.pictures.doubtAll();
  };
}
