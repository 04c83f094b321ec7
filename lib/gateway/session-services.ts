import { Injectable } from '@nestjs/common';
import { ConnectionEvents } from '../delivery/connection-events.js';
import { Membership } from '../delivery/membership.js';
import { NodeIdentity } from '../delivery/node-identity.js';
import { HandlerDispatcher } from '../handlers/handler.dispatcher.js';
import { Clock } from '../ports/clock.js';
import { ConnectionRegistry } from '../ports/connection-registry.js';
import { IdGenerator } from '../ports/id-generator.js';
import { PubSubManager } from '../ports/pub-sub-manager.js';
import { RealtimeSettings } from '../realtime.options.js';
import { Handshake } from './handshake.js';

/** What every session of a node works with, in one object that all of them share. */
@Injectable()
export class SessionServices {
  constructor(
    readonly settings: RealtimeSettings,
    readonly handshake: Handshake,
    readonly dispatcher: HandlerDispatcher,
    readonly membership: Membership,
    readonly registry: ConnectionRegistry,
    readonly pubSub: PubSubManager,
    readonly events: ConnectionEvents,
    readonly clock: Clock,
    readonly ids: IdGenerator,
    readonly node: NodeIdentity,
  ) {}
}
