import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ALL_SUBJECT, nodeSubject } from '../core/subject.js';
import { MessageBus } from '../ports/message-bus.js';
import { ConnectionEvents } from './connection-events.js';
import { LocalDelivery } from './local-delivery.js';
import { NodeIdentity } from './node-identity.js';

/** Attaches this node to the bus for as long as the application runs. */
@Injectable()
export class BusAttachment implements OnModuleInit, OnApplicationShutdown {
  constructor(
    private readonly bus: MessageBus,
    private readonly delivery: LocalDelivery,
    private readonly node: NodeIdentity,
    private readonly events: ConnectionEvents,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.bus.open(this.node.id, (envelope) => this.delivery.deliver(envelope));
    await Promise.all([this.bus.join(ALL_SUBJECT), this.bus.join(nodeSubject(this.node.id))]);
  }

  /** The last hook there is: other providers may still send while they are being destroyed. */
  async onApplicationShutdown(): Promise<void> {
    this.events.close();
    await this.bus.close();
  }
}
