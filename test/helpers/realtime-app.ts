import type { INestApplication, LoggerService, ModuleMetadata } from '@nestjs/common';
import { RealtimeModule, type JwtClaims, type RealtimeBackend, type RealtimeOptions } from 'nestjs-realtime';
import { testToken, type TestClient } from 'nestjs-realtime/testing';
import { listen, TEST_TOKENS, type ListeningApp } from './listening-app.js';

/** The parts of an application under test. */
export interface RealtimeAppParts extends ModuleMetadata {
  /** Options of `forRoot`; tokens are those of `testToken()`. */
  readonly options?: RealtimeOptions;
  /** Replacements for single ports. */
  readonly ports?: ModuleMetadata['providers'];
  /** Default: that in memory. */
  readonly backend?: RealtimeBackend;
  /** Default: nothing is logged. */
  readonly logger?: LoggerService;
  /** Called before the application listens. */
  readonly configure?: (app: INestApplication) => void;
  /** Told how to close it. Default: it is closed when the test has finished. */
  readonly finished?: (close: () => Promise<void>) => void;
}

/** Limits raised for tests that send much from one address and make errors on purpose. */
const NO_RATES = {
  commandsPerSecond: Infinity,
  commandBurst: Infinity,
  maxViolationsPerMinute: Infinity,
  acceptsPerSecond: Infinity,
  maxUnauthenticatedPerIp: Infinity,
  refusedPerSecondPerIp: Infinity,
};

/** A client that is connected and has been welcomed. */
export type Guest = TestClient & { readonly id: string };

/** An application with `RealtimeModule` that listens. */
export interface RealtimeApp extends ListeningApp {
  /** Connects a user; the welcome has been taken. */
  connectAs(userId: string, claims?: JwtClaims): Promise<Guest>;
}

/** Boots an application of these parts on a free port; it is closed when the test has finished, or as `finished` says. */
export async function startRealtimeApp(parts: RealtimeAppParts = {}): Promise<RealtimeApp> {
  const { options, ports = [], backend, imports = [], ...rest } = parts;
  const limits = { ...NO_RATES, ...options?.limits };
  const providers = [TEST_TOKENS, ...ports];
  const realtimeModule = RealtimeModule.forRoot({ ...options, limits, providers, ...(backend && { backend }) });
  const app = await listen({ ...rest, imports: [realtimeModule, ...imports] });
  return {
    ...app,
    async connectAs(userId, claims) {
      const client = await app.connect({ token: testToken(userId, claims) });
      const { payload } = await client.next('realtime:welcome');
      return Object.assign(client, { id: payload.connectionId as string });
    },
  };
}

/** Returns the frames of a client, once all frames sent so far have arrived. Pings, which come at any time, are left out. */
export async function receivedBy(client: TestClient): Promise<TestClient['pending']> {
  await client.settled();
  return client.pending.filter(({ type }) => type !== 'realtime:ping');
}

/** The same as types alone. */
export async function typesReceivedBy(client: TestClient): Promise<string[]> {
  return (await receivedBy(client)).map(({ type }) => type);
}
