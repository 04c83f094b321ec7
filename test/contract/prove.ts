import { AssertionError } from 'node:assert';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ContractCase } from '../../lib/testing/contracts/index.js';

type Create<T> = () => T | Promise<T>;

/** Runs a contract over an adapter. */
export function keepsItsContract<T>(adapter: string, contract: readonly ContractCase<T>[], create: Create<T>): void {
  describe(adapter, () => {
    for (const { name, run } of contract) it(name, () => run(create));
  });
}

/** Shows for every case of a contract, by name, an adapter that breaks this promise and fails the case. */
export function canBeBroken<T>(contract: readonly ContractCase<T>[], twins: Readonly<Record<string, Create<T>>>): void {
  describe('broken twins', () => {
    it('exist for every case', () => {
      expect(Object.keys(twins).sort()).toEqual(contract.map(({ name }) => name).sort());
    });

    beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
    afterEach(() => void vi.useRealTimers());

    for (const { name, run } of contract) {
      it(`fail the case "${name}"`, async () => {
        const failure = expect(run(twins[name]!)).rejects.toBeInstanceOf(AssertionError);
        // The wait for an event that never happens was long enough.
        await vi.advanceTimersByTimeAsync(30_000);
        await failure;
      });
    }
  });
}

/** An adapter with some members replaced; `change` gets the real one, and is called once for each twin that is made. */
export function twinOf<T extends object>(create: () => T, change: (real: T) => Partial<T>): () => T {
  return () => {
    const real = create();
    const changes = change(real);
    return new Proxy(real, {
      get(target, key) {
        if (key in changes) return Reflect.get(changes, key) as unknown;
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  };
}
