import { Subject, type Observable } from 'rxjs';
import type { RealtimeEvent } from '../core/connection/realtime-event.js';

/** Emits the events of this node's connections to listeners. Without a listener no event object is created. */
export class ConnectionEvents {
  readonly #subject = new Subject<RealtimeEvent>();
  readonly stream$: Observable<RealtimeEvent> = this.#subject.asObservable();

  emit(event: RealtimeEvent): void {
    if (this.#subject.observed) this.#subject.next(event);
  }

  close(): void {
    this.#subject.complete();
  }
}
