import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';

/**
 * The asynchronous context in which the application booted. Handlers run in it regardless of the caller, because
 * `disconnect()` and `changeRights()` may be called from an HTTP request, whose `AsyncLocalStorage` belongs to that request.
 */
@Injectable()
export class NeutralContext {
  /** Calls a function in this context and returns its result. */
  readonly run: <R>(callback: () => R) => R = AsyncLocalStorage.snapshot();
}
