import 'reflect-metadata';
import { Controller, Module, Param, Sse, type MessageEvent } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { from, map, Subject, type Observable } from 'rxjs';
import { promisify } from 'node:util';
import { clock } from './item-clock.js';
import { control } from './server-control.js';

/** Server-sent events of a Nest controller: a stream of its own for who asks for one, and a `Subject` for each topic. */
@Controller()
class ItemsController {
  readonly #topics = new Map<string, Subject<MessageEvent>>();

  @Sse('items')
  items(): Observable<MessageEvent> {
    return from(clock.items()).pipe(map((data) => ({ data })));
  }

  @Sse('topics/:topic')
  follow(@Param('topic') topic: string): Observable<MessageEvent> {
    return this.topic(topic);
  }

  async stream(topic: string): Promise<void> {
    const events = this.topic(topic);
    // Serialised once: Nest would do it for each reader.
    for await (const item of clock.items()) events.next({ data: JSON.stringify(item) });
    events.next({ type: 'end', data: '' });
  }

  topic(topic: string): Subject<MessageEvent> {
    const known = this.#topics.get(topic);
    if (known) return known;
    const made = new Subject<MessageEvent>();
    this.#topics.set(topic, made);
    return made;
  }
}

@Module({ controllers: [ItemsController] })
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
await app.listen(0, '127.0.0.1');
const controller = app.get(ItemsController);
const http = app.getHttpServer() as Server;
await control({
  port: (http.address() as AddressInfo).port,
  publish: () => undefined,
  stream: (topic) => void controller.stream(topic),
  connections: () => promisify(http.getConnections.bind(http))(),
});
