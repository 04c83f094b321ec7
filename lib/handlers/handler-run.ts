import { EMPTY, isObservable, Subject, takeUntil, type Observable, type Observer, from } from 'rxjs';
import type { CancelReason } from '../core/protocol/cancel-reason.js';
import type { HandlerCall } from './handler-call.js';
import { InterceptedCall } from './intercepted-call.js';
import type { NeutralContext } from './neutral-context.js';
import { pulledStream, type StreamOwner } from './pulled-stream.js';
import type { MessageRun, ReplySink } from './reply-sink.js';
import { streamSourceOf } from './stream-source.js';

/** Calls a handler and passes its result to a sink: a value, every emission of its Observable, or every item of its stream. */
export class HandlerRun implements MessageRun, StreamOwner {
  readonly released: Promise<void>;
  #isStreaming = false;
  #ended = false;
  #cancelled$: Subject<void> | undefined;
  /** Producers that were told to end. */
  #leaving: Promise<unknown> | undefined;

  constructor(
    private readonly call: HandlerCall,
    private readonly sink: ReplySink,
    private readonly neutral: NeutralContext,
  ) {
    this.released = this.#run();
  }

  get endsWithTopic(): boolean {
    return this.#isStreaming || this.call.context.watchesCancel();
  }

  cancel(reason: CancelReason): Promise<unknown> | undefined {
    const isCancel = !this.#ended;
    this.#ended = true;
    if (isCancel || this.#cancelled$) {
      // Listeners of the signal, and the end of a stream, are the application's code, too.
      this.neutral.run(() => {
        if (isCancel) this.call.context.cancel(reason);
        this.#cancelled$?.next();
      });
    }
    return this.#leaving;
  }

  room(): Promise<void> | undefined {
    return this.sink.room();
  }

  dropped(): void {
    this.call.context.drop();
  }

  leaves(ended: Promise<unknown>): void {
    this.#leaving = this.#leaving ? Promise.all([this.#leaving, ended]) : ended;
  }

  failedLate(thrown: unknown): void {
    if (!isCancelOrItsEcho(thrown)) void this.call.rescue(thrown);
  }

  async #run(): Promise<void> {
    try {
      const output = await this.call.start();
      if (output instanceof InterceptedCall) return await this.#follow(output);
      const stream = this.#streamOf(output);
      if (stream) this.#stream(stream);
      else this.#end(() => this.sink.value(output));
    } catch (error) {
      await this.#fail(error);
    }
  }

  /** @throws TypeError for something that cannot be streamed, or sent at all */
  readonly #streamOf = (output: unknown): Observable<unknown> | undefined => {
    if (isObservable(output)) return output;
    const source = streamSourceOf(output);
    if (!source) return undefined;
    if (!this.#ended) return pulledStream(source, this);
    // The cancel came before the stream.
    const discarded = new Promise((resolve) => resolve(source.discard()));
    this.leaves(discarded.catch((error: unknown) => this.failedLate(error)));
    return EMPTY;
  };

  #stream(output: Observable<unknown>): void {
    this.#isStreaming = true;
    this.#subscribe(output, {
      next: (value) => this.#item(value),
      error: (error) => void this.#fail(error),
      complete: () => this.#end(() => this.sink.complete()),
    });
  }

  /** Waits for the handler to return: only then it is known whether every emission of the interceptors is a reply, or only the last. */
  async #follow(call: InterceptedCall): Promise<void> {
    // Subscribing would call the handler.
    if (this.#ended) return;
    let held: unknown[] = [];
    const flush = () => {
      for (const value of held) this.#item(value);
      held = [];
    };
    await new Promise<void>((release) => {
      call.streamOf = this.#streamOf;
      call.onStream = () => {
        this.#isStreaming = true;
        release();
      };
      this.#subscribe(call.output$, {
        next: (value) => {
          if (!this.#isStreaming) return void (held = [value]);
          flush();
          this.#item(value);
        },
        error: (error) => {
          if (call.isRunning) this.call.context.drop();
          release(this.#fail(error));
        },
        complete: () => {
          const cancelled = this.#ended;
          if (this.#isStreaming) flush();
          this.#end(() => (this.#isStreaming ? this.sink.complete() : this.sink.value(held[0])));
          // A cancelled handler runs on; until it returns, it keeps its place.
          release(cancelled ? call.settled : undefined);
        },
      });
    });
  }

  /** A cancel completes the subscription, from inside an emission too. */
  #subscribe(output: Observable<unknown>, observer: Observer<unknown>): void {
    if (this.#ended) return;
    this.#cancelled$ = new Subject();
    from(output).pipe(takeUntil(this.#cancelled$)).subscribe(observer);
  }

  async #fail(thrown: unknown): Promise<void> {
    // An error that a cancel makes the handler throw concerns nobody.
    if (this.#ended && isCancelOrItsEcho(thrown)) return;
    const { handled, value, error } = await this.call.rescue(thrown);
    this.#end(() => {
      if (!handled) return this.sink.error(error);
      if (!this.#isStreaming) return this.sink.value(value);
      this.sink.item(value);
      this.sink.complete();
    });
  }

  #item(value: unknown): void {
    if (!this.#ended) this.sink.item(value);
  }

  #end(answer: () => void): void {
    if (this.#ended) return;
    this.#ended = true;
    answer();
  }
}

/** Recognises what libraries throw when their signal is aborted, and what a stream throws that was destroyed. */
function isCancelOrItsEcho(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  const { name, code } = thrown as Error & { readonly code?: unknown };
  return code === 'ERR_STREAM_PREMATURE_CLOSE' || /abort|cancel/i.test(`${name} ${thrown.constructor.name}`);
}
