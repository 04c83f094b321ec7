/** A promise as some libraries make it: it has nothing but a `then`, which returns nothing. */
export function barePromise<T>(promise: Promise<T>): Promise<T> {
  const then: Promise<T>['then'] = (give, fail) => void promise.then(give, fail) as never;
  // oxlint-disable-next-line unicorn/no-thenable -- that is what it is
  return { then } as Promise<T>;
}
