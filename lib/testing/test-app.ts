import type { DynamicModule, INestApplication, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { AddressInfo } from 'node:net';
import { TestClient, type TestClientOptions } from './test-client.js';

/** A listening application, with the means to connect to it. */
export interface TestApp {
  readonly app: INestApplication;
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Connects a client to the WebSocket endpoint. */
  connect(options?: TestClientOptions): Promise<TestClient>;
  /** Closes the clients from `connect()`, then the application. */
  close(): Promise<void>;
}

/** Options for starting a test application. */
export interface TestAppOptions {
  /** The `path` option of `forRoot()`. Default `/ws`. */
  readonly path?: string;
  /** Called before the application listens: `app.setGlobalPrefix()`, `app.useGlobalPipes()`, `app.useWebSocketAdapter()`. */
  readonly configure?: (app: INestApplication) => void;
}

/**
 * Starts an application on a free port of 127.0.0.1.
 * @param source a module, or an existing application (from `Test.createTestingModule`, or on Fastify)
 */
export async function startTestApp(
  source: Type | DynamicModule | INestApplication,
  { path = '/ws', configure }: TestAppOptions = {},
): Promise<TestApp> {
  const app = isApplication(source) ? source : await NestFactory.create(source, { logger: false, abortOnError: false });
  configure?.(app);
  try {
    await app.listen(0, '127.0.0.1');
  } catch (error) {
    await app.close().catch(() => undefined);
    throw error;
  }
  const { port } = app.getHttpServer().address() as AddressInfo;
  const clients: TestClient[] = [];
  return {
    app,
    url: `http://127.0.0.1:${port}`,
    async connect(options) {
      const client = await TestClient.connect(`ws://127.0.0.1:${port}${path}`, options);
      clients.push(client);
      return client;
    },
    async close() {
      await Promise.all(clients.map((client) => client.close()));
      await app.close();
    },
  };
}

function isApplication(source: object): source is INestApplication {
  return 'listen' in source;
}
