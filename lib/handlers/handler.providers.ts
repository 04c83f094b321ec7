import type { Provider } from '@nestjs/common';
import { ConnectionHookRegistry } from './connection-hook.registry.js';
import { HandlerDispatcher } from './handler.dispatcher.js';
import { HandlerExplorer } from './handler.explorer.js';
import { HandlerFactory } from './handler.factory.js';
import { NeutralContext } from './neutral-context.js';
import { TopicHandlerRegistry } from './topic-handler.registry.js';

/** The providers that find and call the application's handlers; they need Nest's `DiscoveryModule` among the imports. */
export const HANDLER_PROVIDERS: readonly Provider[] = [
  HandlerFactory,
  NeutralContext,
  TopicHandlerRegistry,
  ConnectionHookRegistry,
  HandlerExplorer,
  HandlerDispatcher,
];
