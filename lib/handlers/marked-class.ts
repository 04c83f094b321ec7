import type { DiscoveryService, MetadataScanner } from '@nestjs/core';
import {
  marksOf,
  TOPIC_GATEWAY_METADATA,
  type HandlerMark,
  type TopicGatewayMark,
} from '../decorators/handler-metadata.js';

/** Nest's record of a provider or a controller. */
export type InstanceWrapper = ReturnType<DiscoveryService['getProviders']>[number];

/** A method with a decorator of this package. */
export interface MarkedMethod {
  readonly method: string;
  /** `Class.method` */
  readonly name: string;
  readonly mark: HandlerMark;
}

/** A class with decorators of this package, and its Nest wrapper. */
export interface MarkedClass {
  readonly provider: InstanceWrapper;
  readonly classRef: Function;
  readonly gateway: TopicGatewayMark | undefined;
  /** Its own methods and the inherited ones, each once for every mark. */
  readonly methods: readonly MarkedMethod[];
}

/**
 * Looks at the class behind a provider or controller: the one that Nest makes instances of, or that of the instance
 * which a factory or a value gave. `undefined` when nothing is marked, or when there is no instance to tell the class.
 */
export function readMarkedClass(provider: InstanceWrapper, scanner: MetadataScanner): MarkedClass | undefined {
  const prototype = prototypeOf(provider);
  const classRef: unknown = prototype?.constructor;
  if (!prototype || typeof classRef !== 'function') return undefined;
  const gateway = Reflect.getMetadata(TOPIC_GATEWAY_METADATA, classRef) as TopicGatewayMark | undefined;
  const methods = scanner.getAllMethodNames(prototype).flatMap((method) =>
    marksOf((prototype as Record<string, object>)[method]!).map((mark) => ({
      method,
      name: `${classRef.name}.${method}`,
      mark,
    })),
  );
  if (!gateway && methods.length === 0) return undefined;
  return { provider, classRef, gateway, methods };
}

function prototypeOf({ isNotMetatype, metatype, instance }: InstanceWrapper): object | undefined {
  if (!isNotMetatype) return (metatype as { prototype?: object }).prototype;
  return typeof instance === 'object' && instance !== null ? Object.getPrototypeOf(instance) : undefined;
}
