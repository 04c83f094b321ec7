import { AsyncResource } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import { RealtimeTracing } from '../ports/realtime-tracing.js';

/**
 * The asynchronous context in which the application booted. Handlers run in it regardless of the caller, because
 * `disconnect()` and `changeRights()` may be called from an HTTP request, whose `AsyncLocalStorage` belongs to that request.
 */
@Injectable()
export class NeutralContext {
  // A resource belongs to the context in which it is made. AsyncLocalStorage.snapshot() does the same with two more calls.
  readonly #booted = new AsyncResource('NeutralContext');

  constructor(private readonly tracing: RealtimeTracing = new RealtimeTracing()) {}

  /** Calls a function in this context and returns its result. The active span of this package stays active in it. */
  run<R>(callback: () => R): R {
    const { tracer } = this.tracing;
    return this.#booted.runInAsyncScope(tracer === undefined ? callback : tracer.bind(callback));
  }
}
