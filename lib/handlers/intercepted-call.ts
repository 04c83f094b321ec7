import type { Observable } from 'rxjs';
import { hookStreamOf } from './hook-stream.js';

/**
 * A handler call wrapped in interceptors. Interceptors return one Observable whatever the handler returns, so this tracks
 * the result of the inner handler: a plain value is one reply, a stream is many.
 */
export class InterceptedCall {
  /** The output of the interceptors; nothing runs before it is subscribed to. */
  output$!: Observable<unknown>;
  /** True once the handler has returned a stream. */
  streams = false;
  /** Resolves, and never rejects, once the handler has returned; `undefined` while it was not called. */
  settled: Promise<void> | undefined;
  /** True while the handler was called and has not returned. */
  isRunning = false;
  /** Called when the handler has returned a stream. */
  onStream: () => void = () => {};
  /** Makes an Observable of what the handler returned; returns nothing if that is a value. May throw. */
  streamOf: (output: unknown) => Observable<unknown> | undefined = hookStreamOf;

  constructor(private readonly handler: () => Promise<unknown>) {}

  /** The handler, for the interceptors to call; more than once if they like (a retry). */
  readonly next = (): Promise<unknown> => {
    const result = this.#run();
    this.settled = result.then(noop, noop);
    return result;
  };

  async #run(): Promise<unknown> {
    let output: unknown;
    this.isRunning = true;
    try {
      output = await this.handler();
    } finally {
      this.isRunning = false;
    }
    const stream = this.streamOf(output);
    this.streams = stream !== undefined;
    if (!stream) return output;
    this.onStream();
    return stream;
  }
}

function noop(): void {}
