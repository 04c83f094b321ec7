import fc from 'fast-check';
import { expect, it } from 'vitest';
import { commandIdOf, METHODS, replyTo, streamIdOf, streamIn } from './method.js';

it('what a reply needs comes back out of the id that it went into', () => {
  const ids = fc.integer({ min: 1, max: 0xffff_ffff });
  fc.assert(
    fc.property(fc.constantFrom(...METHODS), ids, fc.boolean(), (method, id, hasToken) => {
      expect(replyTo(commandIdOf(method, id, hasToken))).toEqual({ method, id, hasToken });
    }),
  );
});

it('the id of a stream is told apart from those of commands', () => {
  expect([streamIn(streamIdOf(7)), streamIn(commandIdOf('rpc', 7)), streamIn(7), streamIn(undefined)]).toEqual([
    7,
    undefined,
    undefined,
    undefined,
  ]);
});
