import { from, lastValueFrom } from 'rxjs';
import type { WireError } from '../core/protocol/error-code.js';
import { filterException, type Filtered } from './exception-filters.js';
import { logFailure, logHookFailure, logRefusal } from './failure-log.js';
import type { Handler } from './handler.js';
import { hookStreamOf } from './hook-stream.js';
import { InterceptedCall } from './intercepted-call.js';
import type { BoundHandler } from './handler-pipeline.js';
import type { HandlerArgs } from './handler-args.js';
import type { HandlerContext } from '../decorators/realtime-context.js';
import { isTold, toWireError } from './wire-error.js';

/** The result of the exception filters, and the error for the client unless a value replaces the exception. */
export interface Rescue extends Filtered {
  readonly error: WireError;
}

/** One call of a handler. */
export class HandlerCall {
  #bound: BoundHandler | undefined;

  constructor(
    private readonly handler: Handler,
    private readonly args: HandlerArgs,
  ) {}

  /** The context of the call. */
  get context(): HandlerContext {
    return this.args[2];
  }

  /** Calls it; settles as {@link BoundHandler.call} does. */
  start(): Promise<unknown> {
    const bound = this.handler.bind(this.args[2]);
    return bound instanceof Promise ? bound.then((made) => this.#call(made)) : this.#call(bound);
  }

  /**
   * Calls it for a single value; of an Observable, the last one.
   * @throws TypeError when it returned a generator
   */
  async result(): Promise<unknown> {
    const output = await this.start();
    const stream = output instanceof InterceptedCall ? output.output$ : hookStreamOf(output);
    return stream ? lastValueFrom(from(stream), { defaultValue: undefined }) : output;
  }

  /**
   * Handles an exception of the handler, or of its Observable: runs the filters, and logs an unexpected exception with
   * `Class.method` and the stack; of a hook, failures of one kind once in 10 seconds. Never rejects.
   */
  async rescue(thrown: unknown): Promise<Rescue> {
    const { name } = this.handler;
    const filtered: Filtered = this.#bound
      ? await filterException(this.#bound, thrown, this.args, name)
      : { handled: false, exception: thrown };
    const { event, topic } = this.args[2];
    if (!filtered.handled && !isTold(filtered.exception)) {
      const log = event === 'message' ? logFailure : logHookFailure;
      log(`${name} failed`, filtered.exception);
    }
    return { ...filtered, error: toWireError(filtered.exception, topic === '' ? {} : { action: event, topic }) };
  }

  /** Handles an exception when no client waits for the error: an intentional exception is then logged, too. Never rejects. */
  async report(thrown: unknown): Promise<void> {
    const { handled, exception, error } = await this.rescue(thrown);
    if (!handled && isTold(exception)) logRefusal(`${this.handler.name} failed: ${error.code} ${error.message}`);
  }

  /**
   * Logs a returned value that cannot be used.
   * @param what names it and says why
   * @returns the error for the client
   */
  unusable(what: string, thrown: unknown): WireError {
    logFailure(`${this.handler.name} returned ${what}`, thrown);
    const { topic } = this.args[2];
    return toWireError(thrown, { action: this.args[3], topic });
  }

  #call(bound: BoundHandler): Promise<unknown> {
    this.#bound = bound;
    return bound.call(...this.args);
  }
}
