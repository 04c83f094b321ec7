import { isObservable, type Observable } from 'rxjs';

/**
 * A handler call wrapped in interceptors. Interceptors return one Observable whatever the handler returns, so this tracks
 * the result of the inner handler: a plain value is one reply, an Observable is a stream of replies.
 */
export class InterceptedCall {
  /** The output of the interceptors; nothing runs before it is subscribed to. */
  output$!: Observable<unknown>;
  /** True once the handler has returned an Observable. */
  streams = false;
  /** Resolves, and never rejects, once the handler has returned; `undefined` while it was not called. */
  settled: Promise<void> | undefined;
  /** Called when the handler has returned an Observable. */
  onStream: () => void = () => {};

  constructor(private readonly handler: () => Promise<unknown>) {}

  /** The handler, for the interceptors to call; more than once if they like (a retry). */
  readonly next = (): Promise<unknown> => {
    const result = this.#run();
    this.settled = result.then(noop, noop);
    return result;
  };

  async #run(): Promise<unknown> {
    const output = await this.handler();
    this.streams = isObservable(output);
    if (this.streams) this.onStream();
    return output;
  }
}

function noop(): void {}
