import { isObservable, type Observable } from 'rxjs';
import { isGenerator } from './stream-source.js';

/**
 * Returns what a connection hook or `@OnSubscribe()` and the like returned, if it is an Observable; its last value counts.
 * @throws TypeError for a generator: nothing of its body has run, and nothing ever asks for its items
 */
export function hookStreamOf(output: unknown): Observable<unknown> | undefined {
  if (isObservable(output)) return output;
  if (!isGenerator(output)) return undefined;
  throw new TypeError(
    'It returned a generator, whose body has not run; only @OnMessage() streams: write no function* here.',
  );
}
