import { isPromise } from '../../core/base/awaitable.js';
import type { Envelope } from '../../core/routing/envelope.js';
import type { HistoryPage, HistoryRange, Retention } from '../../core/history/history.js';
import { addressOfTopic } from '../../core/routing/topic-address.js';
import { PublicationStreams } from '../../core/history/publication-streams.js';
import { subjectOf } from '../../core/bus/subject.js';
import type { Clock } from '../../ports/clock.js';
import { HistoryStore, type PositionedReport, type HistoryPublishOptions } from '../../ports/history-store.js';
import type { IdGenerator } from '../../ports/id-generator.js';
import type { MessageBus } from '../../ports/message-bus.js';

/**
 * Keeps the history of topics in the memory of this process. It serves a single node: with a bus that connects several
 * nodes, each node would assign its own offsets.
 */
export class InMemoryHistoryStore extends HistoryStore {
  /** Made when first used: a topic without a history needs no name of a store. */
  #madeStreams: PublicationStreams | undefined;

  /** @param ids names the store, and so its epochs */
  constructor(
    private readonly bus: MessageBus,
    private readonly clock: Clock,
    private readonly ids: IdGenerator,
  ) {
    super();
  }

  publish(
    topic: string,
    text: string,
    retention: Retention,
    { report, idempotencyKey, trace }: HistoryPublishOptions,
  ): PositionedReport | Promise<PositionedReport> {
    const { position, isRepeated } = this.#streams.append(topic, text, retention, this.clock.now(), idempotencyKey);
    if (isRepeated) return { recipients: 0, nodes: 0, complete: false, ...position, repeated: true };
    const address = addressOfTopic(topic);
    const content = { kind: 'message', text, position } as const;
    const envelope: Envelope = { to: [address], except: [], content, ...(trace !== undefined && { trace }) };
    const reported = this.bus.publish(subjectOf(address)!, envelope, { report });
    return isPromise(reported)
      ? Promise.resolve(reported).then((delivered) => ({ ...delivered, ...position }))
      : { ...reported, ...position };
  }

  read(topic: string, range: HistoryRange, retention: Retention): HistoryPage {
    return this.#streams.page(topic, range, retention, this.clock.now());
  }

  get #streams(): PublicationStreams {
    return (this.#madeStreams ??= new PublicationStreams(this.ids.next()));
  }
}
