import { RealtimeConfigurationError } from '../errors/realtime-configuration.error.js';
import type { MarkedClass, MarkedMethod } from './marked-class.js';
import {
  EXCEPTION_FILTERS_METADATA,
  GUARDS_METADATA,
  INTERCEPTORS_METADATA,
  PIPES_METADATA,
} from './nest-internals.js';
import { parametersOf } from './parameter.rules.js';

const ENHANCERS = [GUARDS_METADATA, INTERCEPTORS_METADATA, PIPES_METADATA, EXCEPTION_FILTERS_METADATA];

/**
 * Stops the boot when an enhancer would be skipped silently. Nest makes the enhancers of classes that it instantiates;
 * those of an instance which comes from `useValue` or `useFactory` it leaves out, guards included.
 */
export function checkEnhancers({ provider, classRef }: MarkedClass, { method, name }: MarkedMethod): void {
  if (!provider.isNotMetatype) return;
  const callback = (classRef.prototype as Record<string, object>)[method]!;
  const enhancers = [
    ...ENHANCERS.flatMap((key) => [...listOf(key, classRef), ...listOf(key, callback)]),
    ...parametersOf(classRef, method).flatMap(([, { pipes }]) => pipes ?? []),
  ];
  const missing = enhancers.find((enhancer) => {
    if (typeof enhancer !== 'function') return false;
    const made = provider.host?.injectables.get(enhancer);
    return !made?.isDependencyTreeStatic();
  });
  if (missing === undefined) return;
  throw new RealtimeConfigurationError(
    `${name}: Nest does not make ${(missing as Function).name} for a class that is provided with useValue or useFactory, ` +
      'so it would never run; provide the class itself, or give the decorator an instance (new …).',
  );
}

function listOf(key: string, target: object): readonly unknown[] {
  return (Reflect.getMetadata(key, target) as readonly unknown[] | undefined) ?? [];
}
