import type { TopicPattern } from '../core/topic/topic-pattern.js';
import { cancelSignalOf } from '../decorators/cancel-signal.decorator.js';
import { currentConnectionOf } from '../decorators/current-connection.decorator.js';
import { describeMark, type HandlerMark } from '../decorators/handler-metadata.js';
import { topicNameOf } from '../decorators/topic-name.decorator.js';
import { topicParamOf } from '../decorators/topic-param.decorator.js';
import { RealtimeConfigurationError } from '../errors/realtime-configuration.error.js';
import type { MarkedClass, MarkedMethod } from './marked-class.js';
import { PAYLOAD_PARAM, ROUTE_ARGS_METADATA, SOCKET_PARAM } from '../decorators/nest-metadata.js';

/** Nest's metadata of a decorated parameter; custom decorators have a factory. */
export interface ParameterMark {
  readonly index: number;
  readonly data?: string;
  readonly factory?: unknown;
  readonly pipes?: readonly unknown[];
}

/** The decorated parameters of a method, under keys that begin with the kind of parameter. */
export function parametersOf(classRef: Function, method: string): readonly (readonly [string, ParameterMark])[] {
  const marks = Reflect.getMetadata(ROUTE_ARGS_METADATA, classRef, method) as Record<string, ParameterMark> | undefined;
  return Object.entries(marks ?? {});
}

/**
 * Makes the boot fail if a parameter of a handler would always be undefined.
 * @param pattern the pattern of the gateway; `undefined` for a connection hook, which has no topic
 */
export function checkParameters(
  { classRef }: MarkedClass,
  { method, name, mark }: MarkedMethod,
  pattern: TopicPattern | undefined,
): void {
  for (const [key, { index, data, factory }] of parametersOf(classRef, method)) {
    if (factory === undefined && ![SOCKET_PARAM, PAYLOAD_PARAM].includes(Number.parseInt(key, 10))) {
      throw new RealtimeConfigurationError(
        `${name}: parameter ${index + 1} has a decorator that has no effect here; use @MessageBody(), @TopicParam(), ` +
          '@TopicName(), @CurrentConnection(), @CancelSignal() or @ConnectedSocket().',
      );
    }
    if (factory === cancelSignalOf && mark.kind !== 'message') {
      throw new RealtimeConfigurationError(
        `${name}: parameter ${index + 1} asks for a cancel signal, but nothing cancels ${describeMark(mark)}; only ` +
          '@OnMessage() methods are cancelled.',
      );
    }
    if (isOfPresence(mark) && (factory === currentConnectionOf || isSocket(key, factory))) {
      throw new RealtimeConfigurationError(
        `${name}: parameter ${index + 1} asks for a connection, but ${describeMark(mark)} concerns a user, whose connections ` +
          'may be on another node or gone; use @MessageBody(), which has the userId.',
      );
    }
    if (factory !== topicParamOf && factory !== topicNameOf) continue;
    if (!pattern) {
      throw new RealtimeConfigurationError(
        `${name}: parameter ${index + 1} asks for the topic, but a connection hook has none; remove it.`,
      );
    }
    if (factory === topicParamOf && data !== undefined && !pattern.params.includes(data)) {
      const known = pattern.params.map((param) => `"${param}"`).join(', ') || 'none';
      throw new RealtimeConfigurationError(
        `${name}: @TopicParam('${data}') names no parameter of "${pattern.source}"; there are: ${known}.`,
      );
    }
  }
}

function isOfPresence({ kind }: HandlerMark): boolean {
  return kind === 'join' || kind === 'leave' || kind === 'update';
}

function isSocket(key: string, factory: unknown): boolean {
  return factory === undefined && Number.parseInt(key, 10) === SOCKET_PARAM;
}
