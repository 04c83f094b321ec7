import { ROUTE_ARGS_METADATA } from '@nestjs/common/internal';
import type { ContextId, ExternalContextCreator } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/internal';
import type { Observable } from 'rxjs';
import type { HandlerArgs } from './handler-args.js';
import { InterceptedCall } from './intercepted-call.js';

/*
 * What calling handlers needs of Nest beyond its public API: these imports, and the fields of ExternalContextCreator
 * that are named below. The spec beside this file fails when one of them changes.
 */
export {
  EXCEPTION_FILTERS_METADATA,
  GUARDS_METADATA,
  INTERCEPTORS_METADATA,
  PIPES_METADATA,
  ROUTE_ARGS_METADATA,
} from '@nestjs/common/internal';
export { REQUEST_CONTEXT_ID } from '@nestjs/core/internal';
export type { InstanceWrapper } from '@nestjs/core/internal';

/** The kinds of parameter that the decorators of `@nestjs/websockets` mark: `@ConnectedSocket()` and `@MessageBody()`. */
export const SOCKET_PARAM = 0;
export const PAYLOAD_PARAM = 3;

/** A method of one instance with everything that Nest puts around it, built once. */
export interface BoundHandler {
  /**
   * Runs the guards, then the interceptors around the pipes and the method. Resolves with what the method returned,
   * Observables as they are, or with an {@link InterceptedCall} when there are interceptors. Rejects with what was thrown.
   */
  call(...args: HandlerArgs): Promise<unknown>;
  /**
   * Hands an exception to the first filter that catches it (the method's, the class's, then the global ones) and returns
   * what the filter returned: `undefined` when there was none, a rejected promise or a throw when it failed.
   */
  filter(exception: unknown, args: HandlerArgs): unknown;
}

/** Builds handlers; `contextId` and `inquirerId` are for instances that belong to a context. */
export type HandlerPipeline = (
  instance: object,
  method: string,
  contextId?: ContextId,
  inquirerId?: string,
) => BoundHandler;

interface CreatorFields {
  readonly interceptorsConsumer: {
    intercept(
      interceptors: readonly unknown[],
      args: readonly unknown[],
      instance: object,
      callback: unknown,
      next: () => Promise<unknown>,
      type: string,
    ): Promise<unknown>;
  };
}

interface ExceptionsHandler {
  invokeCustomFilters(exception: unknown, host: ExecutionContextHost): unknown;
}

const PARAMS_FACTORY = {
  exchangeKeyForValue(type: number, property: unknown, args: HandlerArgs): unknown {
    if (type === SOCKET_PARAM) return args[0];
    if (type !== PAYLOAD_PARAM) return undefined;
    return property ? (args[1] as Record<string, unknown> | null | undefined)?.[property as string] : args[1];
  },
};

/**
 * Nest's own way of calling a method with all its enhancers, for the context type `ws`, with three parts of it replaced:
 * an Observable is kept instead of being reduced to its last value, interceptors tell whether the handler streams, and
 * exception filters are called by us (Nest takes a filter that returns nothing for one that did not handle it).
 */
export function createHandlerPipeline(creator: ExternalContextCreator): HandlerPipeline {
  const { interceptorsConsumer } = creator as unknown as CreatorFields;
  const intercept: CreatorFields['interceptorsConsumer']['intercept'] = async (interceptors, args, ...rest) => {
    const [instance, callback, next, type] = rest;
    if (interceptors.length === 0) return next();
    const call = new InterceptedCall(next);
    const output = await interceptorsConsumer.intercept(interceptors, args, instance, callback, call.next, type);
    call.output$ = output as Observable<unknown>;
    return call;
  };
  const derived = Object.create(creator, {
    transformToResult: { value: (output: unknown) => output },
    interceptorsConsumer: { value: { intercept } },
    externalErrorProxy: { value: { createProxy: bindFilters } },
  }) as ExternalContextCreator;

  return (instance, method, contextId, inquirerId) =>
    derived.create(
      instance,
      (instance as Record<string, (...args: unknown[]) => unknown>)[method]!,
      method,
      ROUTE_ARGS_METADATA,
      PARAMS_FACTORY,
      contextId,
      inquirerId,
      { guards: true, interceptors: true, filters: true },
      'ws',
    ) as unknown as BoundHandler;
}

/** Stands where Nest would wrap the call in its exception zone; what it returns, `create()` returns. */
function bindFilters(call: BoundHandler['call'], exceptionsHandler: ExceptionsHandler): BoundHandler {
  return {
    call,
    filter(exception, args) {
      const host = new ExecutionContextHost([...args]);
      host.setType('ws');
      return exceptionsHandler.invokeCustomFilters(exception, host);
    },
  };
}
