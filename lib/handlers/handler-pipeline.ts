import type { ContextId, ExternalContextCreator } from '@nestjs/core';
import type { Observable } from 'rxjs';
import { isPromise } from '../core/base/awaitable.js';
import { marksOf } from '../decorators/handler-metadata.js';
import type { HandlerArgs } from './handler-args.js';
import { HandlerArgumentsHost } from './handler-arguments-host.js';
import { InterceptedCall } from './intercepted-call.js';
import { PAYLOAD_PARAM, ROUTE_ARGS_METADATA, SOCKET_PARAM } from '../decorators/nest-metadata.js';

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

/** A parameter with a decorator, as Nest reads it. */
interface Param {
  readonly index: number;
  readonly type: number | string;
  readonly data: unknown;
  readonly extractValue: (...args: unknown[]) => unknown;
  readonly pipes: readonly unknown[];
}

/** Fills in the arguments of a method. */
type ParamsFiller = (args: unknown[], ...from: unknown[]) => unknown;

/** The fields of Nest's ExternalContextCreator that are replaced; they have no public type. The spec beside this file fails without them. */
interface CreatorFields {
  createPipesFn(pipes: readonly unknown[], params: readonly Param[]): ParamsFiller | null;
  readonly contextUtils: {
    reflectCallbackMetadata(instance: object, method: string, key: string): object | undefined;
  };
  readonly handlerMetadataStorage: { readonly constructor: Function };
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

/** An exception filter, and the classes that it catches; without any, it catches everything. */
interface BoundFilter {
  readonly func: (exception: unknown, host: HandlerArgumentsHost) => unknown;
  readonly exceptionMetatypes: readonly (abstract new (...args: never[]) => unknown)[];
}

interface ExceptionsHandler {
  readonly filters: readonly BoundFilter[];
}

/** The `data` of the parameter that {@link UNDECORATED} describes, by which `createPipesFn()` knows it. */
const WHOLE_CALL = Symbol('WHOLE_CALL');

/**
 * Stands for the parameter decorators of a method that has none: its second argument is the payload. Nest's own gateways
 * have such a default too, but they send the client through the pipes as well, which `ParseIntPipe` refuses.
 */
const UNDECORATED = { [`${PAYLOAD_PARAM}:1`]: { index: 1, data: WHOLE_CALL, pipes: [] } };

const PARAMS_FACTORY = {
  exchangeKeyForValue(type: number, property: unknown, args: HandlerArgs): unknown {
    if (type === SOCKET_PARAM) return args[0];
    if (type !== PAYLOAD_PARAM) return undefined;
    return property ? (args[1] as Record<string, unknown> | null | undefined)?.[property as string] : args[1];
  },
};

/**
 * Nest's own way of calling a method with all its enhancers, for the context type `ws`, with five parts of it replaced:
 *
 * - An Observable is kept instead of being reduced to its last value.
 * - Interceptors report whether the handler streams.
 * - The caller runs the exception filters, because Nest treats a filter that returns nothing as no filter at all.
 * - Parameters without pipes are filled in without the promises that Nest makes for each of them.
 * - Without parameter decorators, the payload still goes through the pipes of the method, the class and the application.
 */
export function createHandlerPipeline(creator: ExternalContextCreator): HandlerPipeline {
  const fields = creator as unknown as CreatorFields;
  const { interceptorsConsumer } = fields;
  const intercept: CreatorFields['interceptorsConsumer']['intercept'] = (interceptors, args, ...rest) => {
    const [instance, callback, next, type] = rest;
    if (interceptors.length === 0) return next();
    const call = new InterceptedCall(next);
    const output = interceptorsConsumer.intercept(interceptors, args, instance, callback, call.next, type);
    return output.then((output$) => Object.assign(call, { output$: output$ as Observable<unknown> }));
  };
  const createPipesFn: CreatorFields['createPipesFn'] = (pipes, params) => {
    const isPiped = [pipes, ...params.map((each) => each.pipes)].some((list) => list.length > 0);
    if (params[0]?.data === WHOLE_CALL) return isPiped ? payloadPiper(params[0], pipes, fields) : null;
    return params.length > 0 && !isPiped ? fillerOf(params) : fields.createPipesFn(pipes, params);
  };
  const reflectCallbackMetadata: CreatorFields['contextUtils']['reflectCallbackMetadata'] = (instance, method, key) =>
    fields.contextUtils.reflectCallbackMetadata(instance, method, key) ??
    (takesPayload(instance, method) ? UNDECORATED : undefined);
  const derived = Object.create(creator, {
    contextUtils: {
      value: Object.create(fields.contextUtils, { reflectCallbackMetadata: { value: reflectCallbackMetadata } }),
    },
    // A separate storage, because Nest keeps one entry per method in it, for every reader of the decorators.
    handlerMetadataStorage: { value: Reflect.construct(fields.handlerMetadataStorage.constructor, []) },
    transformToResult: { value: (output: unknown) => output },
    interceptorsConsumer: { value: { intercept } },
    createPipesFn: { value: createPipesFn },
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

/** True if the method's payload comes from clients; the package provides that of connection hooks and the like. */
function takesPayload(instance: object, method: string): boolean {
  const marks = marksOf((instance as Record<string, object>)[method]!);
  return marks.some(({ kind }) => kind === 'message' || kind === 'subscribe');
}

/** Passes all arguments on, the payload through the pipes. */
function payloadPiper(param: Param, pipes: readonly unknown[], creator: CreatorFields): ParamsFiller {
  const pipePayload = creator.createPipesFn(pipes, [
    { ...param, data: undefined, extractValue: (_connection, payload) => payload },
  ])!;
  return (args, ...from) => {
    args.splice(0, from.length, ...from);
    return pipePayload(args, ...from);
  };
}

/** Fills in parameters without pipes; awaits a promise returned by a decorator. */
function fillerOf(params: readonly Param[]): ParamsFiller {
  return (args, ...from) => {
    let promises: Promise<void>[] | undefined;
    for (const { index, extractValue } of params) {
      const value = (args[index] = extractValue(...from));
      if (!isPromise(value)) continue;
      const kept = Promise.resolve(value).then((known) => void (args[index] = known));
      (promises ??= []).push(kept);
    }
    return promises && Promise.all(promises);
  };
}

/**
 * Stands where Nest would wrap the call in its exception zone; what it returns, `create()` returns. It selects the filter
 * as Nest does, because Nest 11 answers `null` both for no filter and for a filter that returned `null`.
 */
function bindFilters(call: BoundHandler['call'], { filters }: ExceptionsHandler): BoundHandler {
  return {
    call,
    filter(exception, args) {
      const catches = ({ exceptionMetatypes }: BoundFilter) =>
        exceptionMetatypes.length === 0 || exceptionMetatypes.some((type) => exception instanceof type);
      return filters.find(catches)?.func(exception, new HandlerArgumentsHost(args));
    },
  };
}
