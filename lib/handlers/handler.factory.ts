import { Injectable } from '@nestjs/common';
import { ContextIdFactory, ExternalContextCreator, ModuleRef } from '@nestjs/core';
import { Handler } from './handler.js';
import { createHandlerPipeline, type BoundHandler, type HandlerPipeline } from './handler-pipeline.js';
import type { InstanceWrapper } from './marked-class.js';
import { keepContextId } from './request-context-id.js';
import type { HandlerContext } from '../decorators/realtime-context.js';

/** Creates handlers from the methods of providers. */
@Injectable()
export class HandlerFactory {
  readonly #pipeline: HandlerPipeline;

  constructor(creator: ExternalContextCreator) {
    this.#pipeline = createHandlerPipeline(creator);
  }

  /** @param name `Class.method`, for logs and errors */
  create(provider: InstanceWrapper, method: string, name: string): Handler {
    if (!provider.isDependencyTreeStatic()) {
      return new Handler(name, (context) => this.#bindTo(context, provider, method));
    }
    const bound = this.#pipeline(provider.instance, method);
    return new Handler(name, () => bound);
  }

  /** As Nest does it for every request of a request-scoped controller. */
  async #bindTo(context: HandlerContext, provider: InstanceWrapper, method: string): Promise<BoundHandler> {
    const contextId = ContextIdFactory.getByRequest(context);
    keepContextId(context, contextId);
    const moduleRef: ModuleRef = provider.host!.getProviderByKey(ModuleRef).instance;
    const request = provider.isDependencyTreeDurable() ? contextId.payload : Object.assign(context, contextId.payload);
    moduleRef.registerRequestByContextId(request, contextId);
    const instance = await moduleRef.resolve<object>(provider.token, contextId, { strict: true });
    return this.#pipeline(instance, method, contextId, provider.id);
  }
}
