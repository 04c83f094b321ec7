/**
 * One guarantee of a port, as a test case for any adapter and any test framework:
 *
 * ```ts
 * for (const { name, run } of messageBusContract) it(name, () => run(() => new MyMessageBus()));
 * ```
 * @publicApi
 */
export interface ContractCase<T> {
  /** The guarantee, as a sentence about the adapter. */
  readonly name: string;
  /**
   * Resolves if the adapter keeps the guarantee, and rejects with an `AssertionError` if it does not.
   * @param create creates a new adapter, which no other case uses
   */
  readonly run: (create: () => T | Promise<T>) => Promise<void>;
}
