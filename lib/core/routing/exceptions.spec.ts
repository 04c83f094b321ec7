import { describe, expect, it } from 'vitest';
import { connection, role } from './address.js';
import { Exceptions } from './exceptions.js';

describe('the exceptions of a message', () => {
  it('are the connections that are named', () => {
    const except = new Exceptions([connection('ann'), connection('bob')], { idsOf: () => new Set() });
    expect(['ann', 'bob', 'cem'].map((id) => except.has(id))).toEqual([true, true, false]);
  });

  it('are the members of a role at the time of the question', () => {
    const owners = new Set<string>();
    const except = new Exceptions([role('owner')], { idsOf: () => owners });
    const before = except.has('ann');
    owners.add('ann');
    expect([before, except.has('ann')]).toEqual([false, true]);
  });

  it('look up no address when only connections are named', () => {
    let lookups = 0;
    const index = { idsOf: () => ((lookups += 1), new Set<string>()) };
    const except = new Exceptions(
      Array.from({ length: 100 }, (_, n) => connection(`${n}`)),
      index,
    );
    for (let n = 0; n < 1_000; n++) except.has(`${n}`);
    expect(lookups).toBe(0);
  });
});
