import { CounterTable, type Counter } from '../core/metrics/counter-table.js';
import { actionLabel, addressLabel, closeCodeLabel, OTHER, statusLabel } from '../core/metrics/label-values.js';
import { TopicTails } from '../core/message/topic-tails.js';
import type { Labels, MetricsListener } from '../core/metrics/metric.js';
import { DURATIONS, METRICS } from '../core/metrics/metrics.js';
import { NO_TOPICS, type TopicLabels } from '../core/metrics/topic-labels.js';
import type { Command } from '../core/protocol/command.js';
import type { WireError } from '../core/protocol/error-code.js';
import type { DeliveryReport } from '../core/routing/delivery-report.js';
import type { Address } from '../core/routing/address.js';
import { userOfPersonalTopic } from '../core/topic/reserved-topic.js';
import { RepeatedFailures } from '../errors/repeated-failures.js';
import { NodeJournal } from './node-journal.js';

/** The counts of the connections of one protocol; all sockets of the protocol share it. */
export interface ProtocolMeter {
  readonly protocol: string;
  /** The number of authenticated connections. */
  connections: number;
  bytesSent: number;
}

/** The unsent bytes of all send queues, and how many there may be. */
export interface SendQueueGauge {
  readonly total: number;
  readonly maxBytes: number;
}

const failures = new RepeatedFailures('RealtimeMetrics', 'A listener of durations failed');

/**
 * Counts what happens on this node. Counting adds to a number; labels are looked up, never built. Durations are measured only
 * while there is a {@link MetricsListener}.
 */
export class NodeMeter {
  readonly upgrades = new CounterTable(METRICS.upgrades.labels);
  readonly closes = new CounterTable(METRICS.closes.labels);
  readonly messagesSent = new CounterTable(METRICS.messagesSent.labels);
  readonly messagesReceived = new CounterTable(METRICS.messagesReceived.labels);
  readonly commandErrors = new CounterTable(METRICS.commandErrors.labels);
  readonly recoveries = new CounterTable(METRICS.recoveries.labels);
  /** The labels of handled commands. */
  readonly #handled = new CounterTable(DURATIONS.handled.labels);
  readonly #protocols = new Map<string, ProtocolMeter>();
  slowCloses = 0;
  rateLimited = 0;
  /** Deliveries that failed or were lost. */
  dropped = 0;
  /** Deliveries that were left out for connections that could not take them. */
  leftOut = 0;
  /** Values that newer ones have replaced before a reader took them. */
  replaced = 0;
  incompleteReports = 0;
  /** The topics whose messages somebody watches. */
  readonly tails = new TopicTails();
  /** The latest closes and refusals. */
  readonly journal: NodeJournal;
  /** Set by the gateway. */
  sendQueue: SendQueueGauge = { total: 0, maxBytes: Infinity };
  #listeners: readonly MetricsListener[] = [];

  /**
   * @param topics the label values of topics
   * @param now milliseconds since 1970
   */
  constructor(
    private readonly topics: TopicLabels = NO_TOPICS,
    now?: () => number,
  ) {
    this.journal = new NodeJournal(now);
  }

  /** True while durations are wanted. */
  get isObserved(): boolean {
    return this.#listeners.length > 0;
  }

  get protocols(): Iterable<ProtocolMeter> {
    return this.#protocols.values();
  }

  /** The counts of a protocol; the same object every time. */
  protocol(protocol: string): ProtocolMeter {
    let meter = this.#protocols.get(protocol);
    if (meter === undefined) this.#protocols.set(protocol, (meter = { protocol, connections: 0, bytesSent: 0 }));
    return meter;
  }

  /** Passes durations to a listener. @returns stops it */
  observe(listener: MetricsListener): () => void {
    this.#listeners = [...this.#listeners, listener];
    return () => void (this.#listeners = this.#listeners.filter((each) => each !== listener));
  }

  /** Counts an answer to an upgrade request. */
  upgraded(status: number): void {
    this.upgrades.of(statusLabel(status)).value += 1;
  }

  /**
   * Counts a closed WebSocket.
   * @param isChosenHere true if this server chose the code
   * @param ageMs how long the connection was authenticated; missing if it never was
   */
  closed({ protocol }: ProtocolMeter, code: number, isChosenHere: boolean, ageMs?: number): void {
    const counter = this.closes.of(protocol, closeCodeLabel(code, isChosenHere));
    counter.value += 1;
    if (ageMs === undefined || !this.isObserved) return;
    this.#tell((listener) => listener.closed?.(ageMs / 1_000, counter.labels));
  }

  /** Counts a message to these addresses, or a publication of a topic. @param count how many connections it reached */
  sent(to: readonly Address[], count: number): void {
    this.#sentTo(to).value += count;
  }

  /** The labels of messages to these addresses. */
  labelsOf(to: readonly Address[]): Labels {
    return this.#sentTo(to).labels;
  }

  /** Counts publications that a subscriber recovers. */
  resent(topic: string, count: number): void {
    const isPersonal = userOfPersonalTopic(topic) !== undefined;
    this.messagesSent.of(isPersonal ? 'user' : 'topic', isPersonal ? '' : this.#patternOf(topic)).value += count;
  }

  /** Counts a message of a client. */
  received(topic: string): void {
    this.messagesReceived.of('topic', this.#patternOf(topic)).value += 1;
  }

  /** Counts an error that a client is sent. */
  failed({ action, topic, code }: WireError): void {
    const pattern = topic === undefined ? '' : this.#patternOf(topic);
    this.commandErrors.of(actionLabel(action), pattern, code).value += 1;
  }

  /** Counts a recovery; nothing if none was asked for. */
  recovered(isRecovered: boolean | undefined): void {
    if (isRecovered !== undefined) this.recoveries.of(isRecovered ? 'true' : 'false').value += 1;
  }

  /** Counts a report that was asked for, if it is incomplete. */
  reported(report: DeliveryReport, isWanted: boolean): void {
    if (isWanted && !report.complete) this.incompleteReports += 1;
  }

  /** Reports the duration of a command to the listeners. Call it only while {@link isObserved}. */
  handled(command: Command, ms: number): void {
    const labels = this.labelsOfCommand(command);
    this.#tell((listener) => listener.handled?.(ms / 1_000, labels));
  }

  /** Reports the round trip of a probe to the listeners. */
  readonly busRoundTrip = (ms: number): void => {
    this.#tell((listener) => listener.busRoundTrip?.(ms / 1_000));
  };

  /** The labels of the duration of a command. */
  labelsOfCommand(command: Command): Labels {
    return this.#handledBy(command).labels;
  }

  #sentTo(to: readonly Address[]): Counter {
    const address = addressLabel(to);
    return this.messagesSent.of(address, address === 'topic' ? this.#patternOf(idOf(to[0]!)) : '');
  }

  #handledBy(command: Command): Counter {
    const topic = 'topic' in command ? command.topic : undefined;
    if (topic === undefined) return this.#handled.of(command.action);
    const type = command.action !== 'message' ? '' : this.topics.takes(topic, command.type) ? command.type : OTHER;
    return this.#handled.of(command.action, this.#patternOf(topic), type);
  }

  #patternOf(topic: string): string {
    return this.topics.patternOf(topic) ?? OTHER;
  }

  /** Isolates failures: a listener must not keep a message from its recipients. */
  #tell(tell: (listener: MetricsListener) => void): void {
    for (const listener of this.#listeners) {
      try {
        tell(listener);
      } catch (error) {
        failures.say(error);
      }
    }
  }
}

function idOf(address: Address): string {
  return address.kind === 'all' ? '' : address.id;
}
