import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';

/**
 * The asynchronous context in which the application booted. Handlers run in it whoever causes the call, because
 * `disconnect()` and `changeRights()` may come from an HTTP request, whose `AsyncLocalStorage` belongs to somebody else.
 */
@Injectable()
export class NeutralContext {
  /** Calls a function in this context and returns its result. */
  readonly run: <R>(callback: () => R) => R = AsyncLocalStorage.snapshot();
}
