import { RealtimeConfigurationError } from '../errors/realtime-configuration.error.js';
import { markCopy } from './package-copy.js';

/** Metadata key of the {@link TopicGatewayMark} that `@TopicGateway()` sets on a class. All copies of the package share the symbol. */
export const TOPIC_GATEWAY_METADATA = Symbol.for('nestjs-realtime:topic-gateway');

/** Metadata key of the list of {@link HandlerMark}s that decorators set on a method. All copies of the package share the symbol. */
const HANDLER_METADATA = Symbol.for('nestjs-realtime:handlers');

/** The arguments of `@TopicGateway()`, which are checked at boot. */
export interface TopicGatewayMark {
  readonly pattern: string;
  readonly options: object;
}

/** The event for which a method is called. One method may have several marks. */
export type HandlerMark =
  | { readonly kind: 'subscribe' }
  | { readonly kind: 'unsubscribe' }
  | { readonly kind: 'join' }
  | { readonly kind: 'leave' }
  | { readonly kind: 'update' }
  | { readonly kind: 'connect' }
  | { readonly kind: 'disconnect' }
  | { readonly kind: 'message'; readonly type: string; readonly requireSubscription: boolean };

/** Returns a decorator that adds a mark to an instance method. */
export function markHandler(mark: HandlerMark): MethodDecorator {
  return (target: object, key: string | symbol, descriptor?: PropertyDescriptor) => {
    const method: unknown = descriptor?.value;
    if (typeof target === 'function' || typeof method !== 'function') {
      const owner = typeof target === 'function' ? target : target.constructor;
      throw new RealtimeConfigurationError(
        `${owner.name}.${String(key)}: ${describeMark(mark)} works on instance methods only; make it one.`,
      );
    }
    Reflect.defineMetadata(HANDLER_METADATA, [...marksOf(method), mark], method);
    markCopy(method);
  };
}

/** Returns the marks of a method; an empty list if it has none. */
export function marksOf(method: object): readonly HandlerMark[] {
  return (Reflect.getOwnMetadata(HANDLER_METADATA, method) as readonly HandlerMark[] | undefined) ?? [];
}

/** Returns the decorator of a mark as written in the source: `@OnMessage('say')`. */
export function describeMark(mark: HandlerMark): string {
  switch (mark.kind) {
    case 'message':
      return `@OnMessage(${typeof mark.type === 'string' ? `'${mark.type}'` : String(mark.type)})`;
    case 'subscribe':
      return '@OnSubscribe()';
    case 'unsubscribe':
      return '@OnUnsubscribe()';
    case 'join':
      return '@OnJoin()';
    case 'leave':
      return '@OnLeave()';
    case 'update':
      return '@OnPresenceUpdate()';
    case 'connect':
      return '@OnConnect()';
    case 'disconnect':
      return '@OnDisconnect()';
  }
}
