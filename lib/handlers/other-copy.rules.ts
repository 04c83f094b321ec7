import { copiesOf, OWN_COPY } from '../decorators/package-copy.js';
import { RealtimeConfigurationError } from '../errors/realtime-configuration.error.js';
import type { MarkedClass } from './marked-class.js';

/**
 * Stops the boot if decorators of another copy of the package marked a class. The copies' guards and tokens are different classes,
 * so a hook that should refuse a client might not run.
 */
export function refuseOtherCopy({ classRef, methods }: MarkedClass, own: string = OWN_COPY): void {
  const prototype = classRef.prototype as Record<string, object>;
  const marked: readonly (readonly [name: string, target: object])[] = [
    [classRef.name, classRef],
    ...methods.map(({ method, name }) => [name, prototype[method]!] as const),
  ];
  for (const [name, target] of marked) {
    const other = copiesOf(target).find((copy) => copy !== own);
    if (other === undefined) continue;
    throw new RealtimeConfigurationError(
      `${name} is decorated by another copy of nestjs-realtime than the one whose RealtimeModule this application imports.\n` +
        `  decorators: ${other}\n  RealtimeModule: ${own}\n` +
        'Install one copy: "npm ls nestjs-realtime" shows both; make it a peer dependency of shared libraries, and deduplicate.',
    );
  }
}
