import type { BoundHandler } from './handler-pipeline.js';
import type { HandlerContext } from '../decorators/realtime-context.js';

/** One method of the application that the package calls. */
export class Handler {
  /**
   * @param name `Class.method`, for logs and errors
   * @param bind gives the method with its enhancers: the same every time, or made for the call when its class, or
   * something that it depends on, is request-scoped
   */
  constructor(
    readonly name: string,
    readonly bind: (context: HandlerContext) => BoundHandler | Promise<BoundHandler>,
  ) {}
}
