import { ContextIdFactory, type ContextId } from '@nestjs/core';

/**
 * Stores the context id on the `REQUEST` object of its providers, where Nest stores that of an HTTP request, so that
 * `ContextIdFactory.getByRequest(request)` returns the same id again.
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
