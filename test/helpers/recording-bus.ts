import type { DeliveryReport } from 'nestjs-realtime';
import { MessageBus, type EnvelopeReceiver } from 'nestjs-realtime/ports';
import { InMemoryMessageBus } from '../../lib/adapters/in-memory/in-memory-message-bus.js';

type Envelope = Parameters<EnvelopeReceiver>[0];

/** A bus in memory that shows what this node has joined. */
export class RecordingBus extends MessageBus {
  readonly subjects = new Set<string>();
  readonly #bus = new InMemoryMessageBus();

  get isAttached(): boolean {
    return this.#bus.isAttached;
  }

  open(...[node]: Parameters<MessageBus['open']>): void {
    this.#bus.open(node);
  }

  join(subject: string): void | Promise<void> {
    this.subjects.add(subject);
    this.#bus.join(subject);
  }

  leave(subject: string): void {
    this.subjects.delete(subject);
    this.#bus.leave(subject);
  }

  publish(subject: string, envelope: Envelope): DeliveryReport | Promise<DeliveryReport> {
    return this.#bus.publish(subject, envelope);
  }

  ask: MessageBus['ask'] = (subject, query) => this.#bus.ask(subject, query);

  close(): void {
    this.#bus.close();
  }
}
