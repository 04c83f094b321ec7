import { Injectable } from '@nestjs/common';
import { RateWindow } from '../core/base/rate-window.js';
import type { InspectionRequest } from '../core/bus/node-query.js';
import type { NodeSnapshot } from '../core/bus/node-snapshot.js';
import { sumOfRates, totalsOf, trafficOf } from '../core/bus/node-traffic.js';
import { Clock } from '../ports/clock.js';
import { ConnectionRegistry } from '../ports/connection-registry.js';
import { PubSubManager } from '../ports/pub-sub-manager.js';
import { countsOf } from './node-counts.js';
import { EventLoopDelay } from './event-loop-delay.js';
import { NodeHealth } from './node-health.js';
import { NodeIdentity } from './node-identity.js';
import { NodeMeter } from './node-meter.js';

/** Takes the snapshot of this node when somebody inspects it; nothing is measured for it before. */
@Injectable()
export class NodeInspection {
  readonly #rates = new RateWindow();
  readonly #startedAt: number;

  constructor(
    private readonly node: NodeIdentity,
    private readonly registry: ConnectionRegistry,
    private readonly pubSub: PubSubManager,
    private readonly meter: NodeMeter,
    private readonly eventLoop: EventLoopDelay,
    private readonly health: NodeHealth,
    private readonly clock: Clock,
  ) {
    this.#startedAt = clock.now();
  }

  snapshot({ tail, payloads = false }: InspectionRequest): NodeSnapshot {
    const { meter } = this;
    const { status, reasons } = this.health.read();
    const at = this.clock.now();
    const sent = meter.messagesSent.samples;
    const received = meter.messagesReceived.samples;
    const traffic = trafficOf(sent, received, this.#rates.read(at, totalsOf(sent, received)));
    const rates = sumOfRates(traffic);
    return {
      nodeId: this.node.id,
      at,
      startedAt: this.#startedAt,
      counts: countsOf(this.registry, this.pubSub),
      health: { status, reasons: reasons.map(({ message }) => message) },
      ...(rates && { rates }),
      queueBytes: meter.sendQueue.total,
      loopDelayMs: this.eventLoop.read().p99 * 1_000,
      traffic,
      closes: meter.journal.closes.read(),
      refusals: meter.journal.refusals.read(),
      ...(tail !== undefined && { tail: meter.tails.read(tail, payloads, at) }),
    };
  }
}
