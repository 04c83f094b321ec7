import type { Problem } from '../core/base/problem.js';
import { explainIdempotencyKey } from '../core/history/history-options.js';
import type { MessageInput } from '../core/message/message-types.js';
import { explainMessage, stringifyMessage } from '../core/message/message.js';
import { explainKey, explainVolatile } from '../core/pace/delivery-options.js';
import { explainAddress, type Address } from '../core/routing/address.js';
import type { DeliveryReport } from '../core/routing/delivery-report.js';
import type { MessageContent } from '../core/routing/envelope.js';
import { topicOfAddress } from '../core/routing/topic-address.js';
import { RealtimeError } from '../errors/realtime.error.js';
import type { RealtimeTracing } from '../ports/realtime-tracing.js';
import { RealtimeArgumentError } from '../errors/realtime-argument.error.js';
import type { Clock } from '../ports/clock.js';
import type { HistoryStore } from '../ports/history-store.js';
import type { NodeLifecycle } from './node-lifecycle.js';
import type { NodeMeter } from './node-meter.js';
import type { NodeRequests } from './node-requests.js';
import { publishSpan } from './span-starts.js';
import { Timestamps } from './timestamps.js';
import { showInTail } from './tail-entry.js';
import type { TopicPolicies } from './topic-policies.js';
import { UnservedTopics } from './unserved-topics.js';

/** Options of one send. */
export interface MessageSendOptions {
  readonly report?: boolean;
  readonly idempotencyKey?: string;
  readonly volatile?: boolean;
}

/** Validates a message, serialises it once, and passes it to the history of its topic or to the bus. */
export class MessageSender {
  readonly #timestamps: Timestamps;
  readonly #unserved: UnservedTopics;

  /** @param report whether the answers of other nodes are waited for, unless a call says otherwise */
  constructor(
    private readonly requests: NodeRequests,
    private readonly lifecycle: NodeLifecycle,
    private readonly historyStore: HistoryStore,
    private readonly policies: TopicPolicies,
    private readonly clock: Clock,
    private readonly report: boolean,
    private readonly meter: NodeMeter,
    private readonly tracing: RealtimeTracing,
  ) {
    this.#timestamps = new Timestamps(clock);
    this.#unserved = new UnservedTopics(policies);
  }

  /**
   * Sends a message to some addresses, except to others.
   * @throws RealtimeArgumentError when an argument is invalid; nothing was sent then
   * @throws RealtimeError `UNAVAILABLE` before this node runs, after it has been closed, or when the outcome is
   *   unknown: the message may or may not have been added to a history
   */
  send(
    to: readonly Address[],
    except: readonly Address[],
    message: MessageInput,
    options: MessageSendOptions = {},
  ): Promise<DeliveryReport> {
    if (this.tracing.tracer === undefined) return this.#send(to, except, message, options);
    return this.#sendTraced(to, except, message, options);
  }

  async #sendTraced(...[to, except, message, options]: Parameters<MessageSender['send']>): Promise<DeliveryReport> {
    // Labels can be looked up only for addresses.
    refuse([...to, ...except].flatMap(explainAddress));
    const span = this.tracing.tracer!.start(publishSpan(this.meter.labelsOf(to)));
    try {
      const report = await span.run(() => this.#send(to, except, message, options, span.traceparent));
      span.end({ 'realtime.recipients': report.recipients });
      return report;
    } catch (error) {
      span.end({ 'error.type': error instanceof RealtimeError ? error.code : 'INTERNAL' });
      throw error;
    }
  }

  async #send(
    to: readonly Address[],
    except: readonly Address[],
    message: MessageInput,
    options: MessageSendOptions = {},
    trace?: string,
  ): Promise<DeliveryReport> {
    refuse([...to, ...except].flatMap(explainAddress));
    refuse(explainMessage(message));
    // The retention of topics is known only once the node runs.
    this.lifecycle.assertRunning();
    const kept = this.#keptTopic(to, except);
    const retention = kept === undefined ? undefined : this.policies.of(kept)?.history;
    const { report = this.report, idempotencyKey, volatile } = options;
    // An idempotency key is supported only for a topic of the application.
    refuse(explainIdempotencyKey(idempotencyKey, to[0]?.kind === 'topic' ? retention : undefined));
    refuse(explainVolatile(volatile, retention !== undefined));
    const json = stringifyMessage(message, this.#timestamps.now());
    if (!json.ok) throw new RealtimeArgumentError([json.problem], json.cause);
    if (this.meter.tails.isOn) this.#show(to, message.type, json.text);
    if (kept !== undefined && retention) {
      const more = { ...(idempotencyKey !== undefined && { idempotencyKey }), ...(trace !== undefined && { trace }) };
      const stored = await this.historyStore.publish(kept, json.text, retention, { report, ...more });
      this.meter.reported(stored, report);
      return stored;
    }
    const key = this.#keyOf(to, message);
    const content: MessageContent = {
      kind: 'message',
      text: json.text,
      ...(key !== undefined && { key }),
      ...(volatile && { volatile }),
    };
    const delivered = await this.requests.publish(to, except, content, report, trace);
    this.meter.reported(delivered, report);
    if (delivered.recipients === 0) this.#unserved.sentTo(to);
    return delivered;
  }

  /** The key of a message to a topic that delivers the latest value of each key, if the topic says what the key is. */
  #keyOf(to: readonly Address[], message: MessageInput): string | undefined {
    const [address, ...others] = to;
    if (address?.kind !== 'topic' || others.length > 0) return undefined;
    const keyOf = this.policies.of(address.id)?.delivery?.key;
    if (keyOf === undefined) return undefined;
    let key: unknown;
    try {
      key = keyOf(message);
    } catch (cause) {
      throw new RealtimeArgumentError([KEY_THREW], cause);
    }
    refuse(explainKey(key));
    return key as string;
  }

  /** Shows a message to those who watch one of its topics. */
  #show(to: readonly Address[], type: string, text: string): void {
    const { tails } = this.meter;
    const now = this.clock.now();
    for (const address of to) if (address.kind === 'topic') showInTail(tails, address.id, type, text, now);
  }

  /**
   * The topic whose history stores the message: the topic it is published to, or the personal topic of the user. A message
   * to a user is not stored if there are further addresses, or if some connections of the user are excluded.
   * @throws RealtimeArgumentError when a topic that keeps a history is one of several addresses, or has exceptions: a
   *   message to some of its subscribers has no place in the history
   */
  #keptTopic(to: readonly Address[], except: readonly Address[]): string | undefined {
    const name = to.length === 1 && except.length === 0 ? topicOfAddress(to[0]!) : undefined;
    if (name !== undefined) return name;
    const isKept = (address: Address) =>
      address.kind === 'topic' && this.policies.of(address.id)?.history !== undefined;
    if (!to.some(isKept) && !except.some(isKept)) return undefined;
    const problem = 'must be a single topic without exceptions if the topic keeps a history';
    throw new RealtimeArgumentError([{ at: 'to', message: problem }]);
  }
}

const KEY_THREW: Problem = { at: 'delivery.key', message: 'must return the key of the message; it threw' };

function refuse(problems: readonly Problem[]): void {
  if (problems.length > 0) throw new RealtimeArgumentError(problems);
}
