import { ContextIdFactory, type ContextIdStrategy } from '@nestjs/core';
import { afterEach, describe, expect, it } from 'vitest';
import { keepContextId } from './request-context-id.js';

afterEach(() => ContextIdFactory.apply(undefined as unknown as ContextIdStrategy));

describe('a kept context id', () => {
  it('is what Nest finds for the same request again', () => {
    const [request, contextId] = [{}, ContextIdFactory.create()];
    keepContextId(request, contextId);

    expect(ContextIdFactory.getByRequest(request)).toBe(contextId);
  });

  it('is not what Nest finds for another request', () => {
    const contextId = ContextIdFactory.create();
    keepContextId({}, contextId);

    expect(ContextIdFactory.getByRequest({})).not.toBe(contextId);
  });

  it('is kept without a question to the strategy of the application', () => {
    const asked: unknown[] = [];
    ContextIdFactory.apply({ attach: (_id, request) => (asked.push(request), () => _id) });
    keepContextId({}, ContextIdFactory.create());

    expect(asked).toEqual([]);
  });

  it('does not show among the keys of the request', () => {
    const request = { a: 1 };
    keepContextId(request, ContextIdFactory.create());

    expect({ ...request }).toEqual({ a: 1 });
  });
});
