import { describe, expect, it } from 'vitest';
import { decideSubscribe } from './subscribe-decision.js';

describe('the decision about a subscription', () => {
  it('is a yes for true', () => {
    expect(decideSubscribe(true, 'chat:lobby')).toEqual({ allowed: true });
  });

  it.each([{ name: 'Ann' }, undefined, 0])('is a yes for { info: %o }, and has the info', (info) => {
    expect(decideSubscribe({ info }, 'chat:lobby')).toEqual({ allowed: true, info });
  });

  it('has the info as JSON carries it, apart from the object that was returned', () => {
    const info = { name: 'Ann', since: new Date(0), secret: undefined };
    const decision = decideSubscribe({ info }, 'chat:lobby');
    info.name = 'Bob';
    expect(decision).toEqual({ allowed: true, info: { name: 'Ann', since: '1970-01-01T00:00:00.000Z' } });
  });

  it('cannot be made with an info that JSON cannot carry', () => {
    expect(() => decideSubscribe({ info: { id: 7n } }, 'chat:lobby')).toThrow(TypeError);
  });

  it.each([
    false,
    undefined,
    null,
    1,
    'true',
    'info',
    {},
    [],
    [true],
    { allowed: true },
    { allowed: false, info: 'no' },
    { id: 7, info: 'a record' },
    Object.create({ info: 'inherited' }),
    Object(true),
    () => true,
  ])('is a no for %o', (result) => {
    expect(decideSubscribe(result, 'chat:lobby')).toEqual({
      allowed: false,
      error: {
        code: 'FORBIDDEN',
        message: 'Not allowed to subscribe to this topic.',
        action: 'subscribe',
        topic: 'chat:lobby',
      },
    });
  });
});
