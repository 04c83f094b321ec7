import { Logger, type INestApplication, type ModuleMetadata } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { onTestFinished, vi } from 'vitest';
import { createConnection, type RealtimeConnection } from '../../lib/core/connection/connection.js';
import type { WireError } from '../../lib/core/protocol/error-code.js';
import { HandlerDispatcher } from '../../lib/handlers/handler.dispatcher.js';
import { HandlerExplorer } from '../../lib/handlers/handler.explorer.js';
import { HANDLER_PROVIDERS } from '../../lib/handlers/handler.providers.js';
import { RealtimeTracing } from '../../lib/ports/realtime-tracing.js';
import { PresenceInfoLimit } from '../../lib/handlers/presence-info-limit.js';
import type { MessageRun, ReplySink } from '../../lib/handlers/reply-sink.js';

/** Boots an application of these parts, without sockets, and gives what calls its handlers. */
export async function bootHandlers(
  { imports = [], providers = [], controllers = [] }: ModuleMetadata,
  configure: (app: INestApplication) => void = () => {},
): Promise<HandlerDispatcher> {
  const module = await Test.createTestingModule({
    imports: [DiscoveryModule, ...imports],
    controllers,
    providers: [
      ...HANDLER_PROVIDERS,
      RealtimeTracing,
      { provide: PresenceInfoLimit, useValue: new PresenceInfoLimit(1_024) },
      ...providers,
    ],
  }).compile();
  const app = module.createNestApplication({ logger: false });
  configure(app);
  await app.init();
  onTestFinished(() => app.close());
  app.get(HandlerExplorer).explore();
  return app.get(HandlerDispatcher);
}

/** Somebody who is connected. */
export function connectionOf(
  userId: string,
  rights: { roles?: string[]; permissions?: string[] } = {},
): RealtimeConnection {
  return createConnection({ id: `node.${userId}`, userId, ...rights, createdAt: new Date(0) });
}

/** Everything that was told to a sink, in order. */
export type SinkCall =
  | { readonly value: unknown }
  | { readonly item: unknown }
  | { readonly complete: true }
  | { readonly error: WireError };

/** Remembers what it is told. */
export class RecordingSink implements ReplySink {
  readonly calls: SinkCall[] = [];
  #end: () => void = () => {};
  readonly #ended = new Promise<void>((resolve) => (this.#end = resolve));

  value = (payload: unknown) => this.#last({ value: payload });
  item = (payload: unknown) => void this.calls.push({ item: payload });
  complete = () => this.#last({ complete: true });
  error = (error: WireError) => this.#last({ error });
  /** What {@link ReplySink.room} returns. */
  room = (): Promise<void> | undefined => undefined;

  /** Everything, once the last answer is there. */
  async all(): Promise<SinkCall[]> {
    await this.#ended;
    return this.calls;
  }

  #last(call: SinkCall): void {
    this.calls.push(call);
    this.#end();
  }
}

/** A message on its way. */
export interface SentMessage {
  readonly run: MessageRun;
  readonly sink: RecordingSink;
}

/** Sends a message from a subscribed connection. */
export function send(
  dispatcher: HandlerDispatcher,
  type: string,
  payload?: unknown,
  { topic = 'chat:lobby', connection = connectionOf('ann'), isSubscribed = true } = {},
): SentMessage {
  const sink = new RecordingSink();
  const run = dispatcher.message(connection, { action: 'message', topic, type, payload }, isSubscribed, sink);
  return { run, sink };
}

/** Sends a message and waits for all its answers. */
export function answers(...args: Parameters<typeof send>): Promise<SinkCall[]> {
  return send(...args).sink.all();
}

/** Collects what is logged as errors and warnings until the test ends. */
export function collectLogs(): string[] {
  const lines: string[] = [];
  const collect = (...parts: unknown[]) => void lines.push(parts.map(String).join('\n'));
  const spies = [
    vi.spyOn(Logger.prototype, 'error').mockImplementation(collect),
    vi.spyOn(Logger.prototype, 'warn').mockImplementation(collect),
  ];
  onTestFinished(() => spies.forEach((spy) => spy.mockRestore()));
  return lines;
}
