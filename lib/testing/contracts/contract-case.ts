/**
 * One promise of a port, as something that can be run over any adapter with any test framework:
 *
 * ```ts
 * for (const { name, run } of messageBusContract) it(name, () => run(() => new MyMessageBus()));
 * ```
 * @publicApi
 */
export interface ContractCase<T> {
  /** The promise, as a sentence about the adapter. */
  readonly name: string;
  /**
   * Resolves when the promise is kept, and rejects with an `AssertionError` when it is not.
   * @param create makes a fresh adapter, which no other case has touched
   */
  readonly run: (create: () => T | Promise<T>) => Promise<void>;
}
