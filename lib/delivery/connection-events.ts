import { AsyncResource } from 'node:async_hooks';
import { Subject, type Observable } from 'rxjs';
import type { RealtimeEvent } from '../core/connection/realtime-event.js';

/** Emits the events of this node's connections to listeners, in the asynchronous context of the boot, whoever caused them. */
export class ConnectionEvents {
  readonly #subject = new Subject<RealtimeEvent>();
  readonly #booted = new AsyncResource('ConnectionEvents');
  readonly stream$: Observable<RealtimeEvent> = this.#subject.asObservable();

  emit(event: RealtimeEvent): void {
    if (this.#subject.observed) this.#booted.runInAsyncScope(() => this.#subject.next(event));
  }

  close(): void {
    this.#subject.complete();
  }
}
