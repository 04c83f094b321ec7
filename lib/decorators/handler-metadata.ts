import { RealtimeConfigurationError } from '../errors/realtime-configuration.error.js';

/** Where `@TopicGateway()` leaves a {@link TopicGatewayMark} on the class. */
export const TOPIC_GATEWAY_METADATA = Symbol('nestjs-realtime:topic-gateway');

/** Where the method decorators leave the list of {@link HandlerMark}s on the method. */
const HANDLER_METADATA = Symbol('nestjs-realtime:handlers');

/** What `@TopicGateway()` was given; judged at boot. */
export interface TopicGatewayMark {
  readonly pattern: string;
  readonly options: object;
}

/** What a method is to be called for. One method may have several marks. */
export type HandlerMark =
  | { readonly kind: 'subscribe' }
  | { readonly kind: 'unsubscribe' }
  | { readonly kind: 'join' }
  | { readonly kind: 'leave' }
  | { readonly kind: 'connect' }
  | { readonly kind: 'disconnect' }
  | { readonly kind: 'message'; readonly type: string; readonly requireSubscription: boolean };

/** A decorator that adds a mark to an instance method. */
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
  };
}

/** The marks of a method; an empty list for any other method. */
export function marksOf(method: object): readonly HandlerMark[] {
  return (Reflect.getOwnMetadata(HANDLER_METADATA, method) as readonly HandlerMark[] | undefined) ?? [];
}

/** The decorator that left the mark, as it stands in the source: `@OnMessage('say')`. */
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
    case 'connect':
      return '@OnConnect()';
    case 'disconnect':
      return '@OnDisconnect()';
  }
}
