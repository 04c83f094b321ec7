import { TestClient } from 'nestjs-realtime/testing';
import { onTestFinished } from 'vitest';
import type { Program } from './program.js';

/** How long an answer of a program may take, in milliseconds: it has just started, perhaps beside a browser that starts. */
export const PATIENCE_MS = 20_000;

/** The token that the login of a recipe hands out. */
export async function login({ url }: Pick<Program, 'url'>, name: string): Promise<string> {
  const response = await fetch(`${url}/login/${name}`, { method: 'POST' });
  return ((await response.json()) as { token: string }).token;
}

/** Logs somebody in and connects; the client is closed when the test has finished. */
export async function visitor(program: Pick<Program, 'url'>, name: string): Promise<TestClient> {
  const token = await login(program, name);
  const client = await TestClient.connect(`${program.url.replace('http', 'ws')}/ws`, { token });
  onTestFinished(() => client.close());
  await client.next('realtime:welcome', PATIENCE_MS);
  return client;
}

/** Subscribes, or says why not. */
export function subscribe(client: TestClient, topic: string): ReturnType<TestClient['request']> {
  return client.request({ action: 'subscribe', topic }, PATIENCE_MS);
}
