import { AsyncResource } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';

/**
 * The asynchronous context in which the application booted. Handlers run in it regardless of the caller, because
 * `disconnect()` and `changeRights()` may be called from an HTTP request, whose `AsyncLocalStorage` belongs to that request.
 */
@Injectable()
export class NeutralContext {
  // A resource belongs to the context in which it is made. AsyncLocalStorage.snapshot() does the same with two more calls.
  readonly #booted = new AsyncResource('NeutralContext');

  /** Calls a function in this context and returns its result. */
  run<R>(callback: () => R): R {
    return this.#booted.runInAsyncScope(callback);
  }
}
