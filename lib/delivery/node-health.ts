import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { HealthRecord } from '../core/metrics/health-record.js';
import type { RealtimeHealth } from '../core/metrics/health.js';
import { RecentRefusals } from '../core/metrics/recent-refusals.js';
import { Clock } from '../ports/clock.js';
import { MessageBus } from '../ports/message-bus.js';
import type { HealthSource } from '../ports/health-source.js';
import { EventLoopDelay } from './event-loop-delay.js';
import { NodeDrain } from './node-drain.js';
import { NodeLifecycle } from './node-lifecycle.js';
import { NodeMeter } from './node-meter.js';

/** The interval at which the node looks at itself, in milliseconds, so that reasons are seen while nobody asks. */
const INTERVAL_MS = 1_000;

// A bus that does not extend `MessageBus` may count none.
const NONE: ReadonlyMap<string, number> = new Map();

/** Judges the health of this node. The delay of the event loop counts from the first call of {@link read} on. */
@Injectable()
export class NodeHealth implements HealthSource, OnModuleInit, OnApplicationShutdown {
  readonly #record = new HealthRecord();
  readonly #refusals = new RecentRefusals();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly lifecycle: NodeLifecycle,
    private readonly drain: NodeDrain,
    private readonly bus: MessageBus,
    private readonly meter: NodeMeter,
    private readonly eventLoop: EventLoopDelay,
    private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.#timer = setInterval(() => this.#judge(), INTERVAL_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.#timer);
    this.eventLoop.stop();
  }

  /** Returns the health of this moment. */
  read(): RealtimeHealth {
    this.eventLoop.start();
    return this.#judge();
  }

  #judge(): RealtimeHealth {
    const { lifecycle, drain, bus, meter, eventLoop, clock } = this;
    const snapshot = {
      phase: lifecycle.phase,
      isDraining: drain.isDraining,
      isAttached: bus.isAttached,
      refusals: this.#refusals.update(bus.refusals ?? NONE, performance.now()),
      sendQueueBytes: meter.sendQueue.total,
      maxSendQueueBytes: meter.sendQueue.maxBytes,
      loopDelay: eventLoop.isRunning ? eventLoop.read().p99 : 0,
    };
    return this.#record.judge(snapshot, new Date(clock.now()));
  }
}
