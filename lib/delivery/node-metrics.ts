import { Injectable } from '@nestjs/common';
import type { Labels, MetricDescription, MetricFamily, MetricSample, MetricsListener } from '../core/metrics/metric.js';
import { METRICS } from '../core/metrics/metrics.js';
import { MessageBus } from '../ports/message-bus.js';
import { PubSubManager } from '../ports/pub-sub-manager.js';
import type { RealtimeMetrics } from '../ports/realtime-metrics.js';
import { EventLoopDelay } from './event-loop-delay.js';
import { NodeLifecycle } from './node-lifecycle.js';
import { NodeMeter } from './node-meter.js';

/** The metrics of this node: the counts of {@link NodeMeter}, and gauges read from where the numbers are. */
@Injectable()
export class NodeMetrics implements RealtimeMetrics {
  constructor(
    private readonly meter: NodeMeter,
    private readonly bus: MessageBus,
    private readonly pubSub: PubSubManager,
    private readonly lifecycle: NodeLifecycle,
    private readonly eventLoop: EventLoopDelay,
  ) {}

  read(): readonly MetricFamily[] {
    const { meter, bus } = this;
    const protocols = [...meter.protocols];
    const closes = meter.closes.samples;
    const delay = this.eventLoop.read();
    return [
      family(
        METRICS.connections,
        protocols.map(({ protocol, connections }) => ({ labels: { protocol }, value: connections })),
      ),
      family(METRICS.closes, closes),
      family(METRICS.upgrades, meter.upgrades.samples),
      single(METRICS.subscriptions, this.pubSub.subscriptionCount),
      family(METRICS.messagesSent, meter.messagesSent.samples),
      family(METRICS.messagesReceived, meter.messagesReceived.samples),
      single(
        METRICS.bytesSent,
        protocols.reduce((sum, { bytesSent }) => sum + bytesSent, 0),
      ),
      family(METRICS.commandErrors, meter.commandErrors.samples),
      single(METRICS.sendQueueBytes, meter.sendQueue.total),
      single(METRICS.slowCloses, meter.slowCloses),
      single(METRICS.rateLimited, meter.rateLimited),
      family(METRICS.recoveries, meter.recoveries.samples),
      family(METRICS.dropped, [
        { labels: { reason: 'lost' }, value: meter.dropped },
        { labels: { reason: 'slow' }, value: meter.leftOut },
        { labels: { reason: 'replaced' }, value: meter.replaced },
      ]),
      single(METRICS.busAttached, this.lifecycle.isRunning && bus.isAttached ? 1 : 0),
      family(
        METRICS.busRefused,
        Array.from(bus.refusals ?? [], ([reason, value]) => ({ labels: { reason }, value })),
      ),
      single(METRICS.reportsIncomplete, meter.incompleteReports),
      family(METRICS.eventLoopDelay, [
        { labels: { quantile: '0.5' }, value: delay.p50 },
        { labels: { quantile: '0.99' }, value: delay.p99 },
        { labels: { quantile: '1' }, value: delay.max },
      ]),
    ];
  }

  observe(listener: MetricsListener): () => void {
    return this.meter.observe(listener);
  }
}

type Described = MetricDescription & { readonly kind: MetricFamily['kind'] };

const NO_LABELS: Labels = {};

function family(description: Described, samples: readonly MetricSample[]): MetricFamily {
  return { ...description, samples };
}

function single(description: Described, value: number): MetricFamily {
  return { ...description, samples: [{ labels: NO_LABELS, value }] };
}
