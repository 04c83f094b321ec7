import { ContextIdFactory, type ContextId } from '@nestjs/core';

/**
 * Keeps the context id on what the `REQUEST` of its providers is, where Nest keeps that of an HTTP request, so that
 * `ContextIdFactory.getByRequest(request)` gives the same one again.
 */
export function keepContextId(request: object, contextId: ContextId): void {
  Object.defineProperty(request, requestContextIdKey(), { value: contextId });
}

let key: PropertyKey | undefined;

/**
 * The symbol is private to Nest, and the file that has it stands elsewhere in every version and in no bundle. The factory,
 * which is public, looks for it on the request first.
 */
function requestContextIdKey(): PropertyKey {
  const request = new Proxy(
    {},
    {
      get(_target, property) {
        key ??= property;
        // With any value the factory stops here, and asks no strategy of the application.
        return {};
      },
    },
  );
  if (key === undefined) ContextIdFactory.getByRequest(request);
  return key!;
}
