import { RealtimeConfigurationError } from '../errors/realtime-configuration.error.js';
import type { MarkedClass, MarkedMethod } from './marked-class.js';
import {
  EXCEPTION_FILTERS_METADATA,
  GUARDS_METADATA,
  INTERCEPTORS_METADATA,
  PIPES_METADATA,
} from '../decorators/nest-metadata.js';
import { parametersOf } from './parameter.rules.js';

const ENHANCERS = [GUARDS_METADATA, INTERCEPTORS_METADATA, PIPES_METADATA, EXCEPTION_FILTERS_METADATA];

/**
 * Stops the boot when an enhancer would be skipped silently, or run without its constructor. Nest makes the enhancers of
 * classes that it instantiates, and transient ones only for what it calls entry providers; those of an instance which
 * comes from `useValue` or `useFactory` it leaves out, guards included.
 */
export function checkEnhancers({ provider, classRef, gateway }: MarkedClass, { method, name }: MarkedMethod): void {
  const callback = (classRef.prototype as Record<string, object>)[method]!;
  const enhancers = [
    ...ENHANCERS.flatMap((key) => [...listOf(key, classRef), ...listOf(key, callback)]),
    ...parametersOf(classRef, method).flatMap(([, { pipes }]) => pipes ?? []),
  ];
  for (const enhancer of enhancers) {
    if (typeof enhancer !== 'function') continue;
    const made = provider.host?.injectables.get(enhancer);
    if (provider.isNotMetatype && !made?.isDependencyTreeStatic()) {
      throw new RealtimeConfigurationError(
        `${name}: Nest does not instantiate ${enhancer.name} for a class that is provided with useValue or useFactory, so it ` +
          'would never run; provide the class itself, or give the decorator an instance (new …).',
      );
    }
    if (made?.isTransient && (provider.isNotMetatype || !gateway)) {
      throw new RealtimeConfigurationError(
        `${name}: ${enhancer.name} is transient, and Nest makes such enhancers only for a class with @TopicGateway() that ` +
          'it instantiates; remove "scope: Scope.TRANSIENT".',
      );
    }
  }
}

function listOf(key: string, target: object): readonly unknown[] {
  return (Reflect.getMetadata(key, target) as readonly unknown[] | undefined) ?? [];
}
