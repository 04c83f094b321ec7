/** A value, or a promise of one that is not known yet. */
export type Awaitable<T> = T | Promise<T>;

/** True for a promise, also for one of another library: wait for it with `await`, since it may have nothing but a `then`. */
export function isPromise<T>(value: Awaitable<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
