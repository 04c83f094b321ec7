import { describe, expect, it } from 'vitest';
import { endedError, SubscriptionEnds } from './subscription-ends.js';

describe('a command about a subscription that ends meanwhile', () => {
  it('gets the error that ended it, and the first one if there are several', () => {
    const ends = new SubscriptionEnds();
    const [a, alsoA, b] = ['a', 'a', 'b'].map((topic) => ends.watch(topic));
    ends.note('a', 'UNAVAILABLE');
    ends.note('a', 'FORBIDDEN');
    expect([a!.code, alsoA!.code, b!.code]).toEqual(['UNAVAILABLE', 'UNAVAILABLE', undefined]);
    expect(endedError(a!)).toMatchObject({ code: 'UNAVAILABLE', action: 'subscribe', topic: 'a' });
  });

  it('is refused for good when the application ended it', () => {
    expect(endedError({ topic: 'a' }).code).toBe('FORBIDDEN');
  });

  it('gets nothing of what happens after its own end, or happened before it', () => {
    const ends = new SubscriptionEnds();
    ends.note('a', 'UNAVAILABLE');
    const watch = ends.watch('a');
    ends.unwatch(watch);
    ends.note('a', 'UNAVAILABLE');
    expect(watch.code).toBeUndefined();
  });
});
