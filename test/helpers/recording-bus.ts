import { InMemoryMessageBus } from '../../lib/adapters/in-memory/in-memory-message-bus.js';

/** A bus that shows what this node has joined. */
export class RecordingBus extends InMemoryMessageBus {
  readonly subjects = new Set<string>();

  override join(subject: string): void | Promise<void> {
    this.subjects.add(subject);
    super.join(subject);
  }

  override leave(subject: string): void {
    this.subjects.delete(subject);
    super.leave(subject);
  }
}
