import { from, isObservable, Subject, takeUntil, type ObservableInput, type Observer } from 'rxjs';
import type { HandlerCall } from './handler-call.js';
import { InterceptedCall } from './intercepted-call.js';
import type { NeutralContext } from './neutral-context.js';
import type { MessageRun, ReplySink } from './reply-sink.js';

/** Calls a handler and passes its result to a sink: a value, or every emission of its Observable. */
export class HandlerRun implements MessageRun {
  readonly released: Promise<void>;
  #isStreaming = false;
  #ended = false;
  #cancelled$: Subject<void> | undefined;

  constructor(
    private readonly call: HandlerCall,
    private readonly sink: ReplySink,
    private readonly neutral: NeutralContext,
  ) {
    this.released = this.#run();
  }

  get isStreaming(): boolean {
    return this.#isStreaming;
  }

  cancel(): void {
    this.#ended = true;
    // The teardown of an Observable is the application's code, too.
    if (this.#cancelled$) this.neutral.run(() => this.#cancelled$?.next());
  }

  async #run(): Promise<void> {
    try {
      const output = await this.call.start();
      if (output instanceof InterceptedCall) await this.#follow(output);
      else if (isObservable(output)) this.#stream(output);
      else this.#end(() => this.sink.value(output));
    } catch (error) {
      await this.#fail(error);
    }
  }

  #stream(output: ObservableInput<unknown>): void {
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
        error: (error) => release(this.#fail(error)),
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
  #subscribe(output: ObservableInput<unknown>, observer: Observer<unknown>): void {
    if (this.#ended) return;
    this.#cancelled$ = new Subject();
    from(output).pipe(takeUntil(this.#cancelled$)).subscribe(observer);
  }

  async #fail(thrown: unknown): Promise<void> {
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
