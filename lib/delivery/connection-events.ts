import { Subject, type Observable } from 'rxjs';
import type { RealtimeEvent } from '../core/connection/realtime-event.js';

/** Tells whoever listens what happens to this node's connections. Without a listener nothing is made. */
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
