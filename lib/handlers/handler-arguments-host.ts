import type { ArgumentsHost } from '@nestjs/common';
import type { HandlerArgs } from './handler-args.js';

/**
 * The arguments host for exception filters: presents the arguments of a handler call as Nest presents those of a gateway.
 * `never` stands for the types that the caller names; they are not checked.
 */
export class HandlerArgumentsHost implements ArgumentsHost {
  constructor(private readonly args: HandlerArgs) {}

  getType(): never {
    return 'ws' as never;
  }

  getArgs(): never {
    return [...this.args] as never;
  }

  getArgByIndex(index: number): never {
    return this.args[index] as never;
  }

  switchToWs() {
    return {
      getClient: () => this.getArgByIndex(0),
      getData: () => this.getArgByIndex(1),
      getPattern: () => this.args[3],
    };
  }

  switchToHttp() {
    return {
      getRequest: () => this.getArgByIndex(0),
      getResponse: () => this.getArgByIndex(1),
      getNext: () => this.getArgByIndex(2),
    };
  }

  switchToRpc() {
    return { getData: () => this.getArgByIndex(0), getContext: () => this.getArgByIndex(1) };
  }
}
