import 'reflect-metadata';
import type { INestApplication, LoggerService, ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { JwtVerifier, RealtimeService } from 'nestjs-realtime';
import {
  startTestApp,
  TestClient,
  TestJwtVerifier,
  type TestApp,
  type TestClientOptions,
} from 'nestjs-realtime/testing';
import { onTestFinished } from 'vitest';

/** The HTTP servers that Nest comes with. */
export const PLATFORMS = ['Express', 'Fastify'] as const;
export type Platform = (typeof PLATFORMS)[number];

/** Makes the module take the tokens of `testToken()`. */
export const TEST_TOKENS = { provide: JwtVerifier, useClass: TestJwtVerifier };

/** The parts of an application, and how it is started. */
export interface AppParts extends ModuleMetadata {
  /** Default: Express. */
  readonly platform?: Platform;
  /** The path that `forRoot` was given. */
  readonly path?: string;
  readonly logger?: LoggerService;
  /** Called before the application listens. */
  readonly configure?: (app: INestApplication) => void;
  /** Told how to close it. Default: it is closed when the test has finished; concurrent tests must say so by themselves. */
  readonly finished?: (close: () => Promise<void>) => void;
}

/** An application that listens. */
export interface ListeningApp extends TestApp {
  readonly realtime: RealtimeService;
  /** Connects to another path than that of the module. */
  connectTo(path: string, options?: TestClientOptions): Promise<TestClient>;
}

/** Boots an application of these parts on a free port. */
export async function listen(parts: AppParts): Promise<ListeningApp> {
  const { platform, path, logger, configure, finished = onTestFinished, ...metadata } = parts;
  class AppModule {}
  const nest = await NestFactory.create(
    { module: AppModule, ...metadata },
    platform === 'Fastify' ? new FastifyAdapter() : new ExpressAdapter(),
    { logger: logger ?? false, abortOnError: false },
  );
  const started = await startTestApp(nest, { ...(path && { path }), ...(configure && { configure }) });
  finished(() => started.close());
  const others: TestClient[] = [];
  return {
    ...started,
    realtime: nest.get(RealtimeService),
    async connectTo(otherPath, options) {
      const client = await TestClient.connect(started.url.replace('http', 'ws') + otherPath, options);
      others.push(client);
      return client;
    },
  };
}

/** Waits for the welcome and returns the user that it names. */
export async function welcomed(client: TestClient): Promise<string> {
  const { payload } = await client.next('realtime:welcome');
  return payload.userId;
}
