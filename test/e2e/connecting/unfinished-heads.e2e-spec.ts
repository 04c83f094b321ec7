import { Controller, Get } from '@nestjs/common';
import { RealtimeModule } from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import type { Server } from 'node:http';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { RequestHeads } from '../../../lib/gateway/upgrade/request-heads.js';
import { listen, PLATFORMS, TEST_TOKENS, type ListeningApp, type Platform } from '../../helpers/listening-app.js';
import { RawClient } from '../../helpers/raw-client.js';

/** Answers when it is told to. */
class SlowWork {
  static finish: (text: string) => void;
  static begun: Promise<void>;
  static #began: () => void;

  static reset(): void {
    SlowWork.begun = new Promise((resolve) => (SlowWork.#began = resolve));
  }

  static work(): Promise<string> {
    SlowWork.#began();
    return new Promise((resolve) => (SlowWork.finish = resolve));
  }
}

@Controller()
class WorkController {
  @Get('slow')
  slow() {
    return SlowWork.work();
  }

  @Get('fast')
  fast() {
    return 'done at once';
  }
}

function start(platform: Platform): Promise<ListeningApp> {
  SlowWork.reset();
  const module = RealtimeModule.forRoot({ providers: [TEST_TOKENS] });
  return listen({ platform, controllers: [WorkController], imports: [module] });
}

async function says(app: ListeningApp, text: string): Promise<RawClient> {
  const client = await RawClient.to(app.url);
  await client.write(text);
  return client;
}

/** True when it ends in time: before the server would end unfinished heads by itself, after 15 s. */
async function closes(app: ListeningApp, timeoutMs = 10_000): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), timeoutMs)));
  const closed = await Promise.race([app.app.close().then(() => true), late]);
  clearTimeout(timer);
  return closed;
}

describe.each(PLATFORMS)('On %s an application closes', (platform) => {
  it.each([
    ['a head that never ends', 'GET /ws HTTP/1.1\r\nHost: x\r\n'],
    ['a request line that never ends', 'GET /w'],
    ['the head of an ordinary request that never ends', 'POST /fast HTTP/1.1\r\nHost: x\r\nContent-Le'],
    ['nothing', ''],
  ])('although a client has sent %s', async (_what, text) => {
    const app = await start(platform);
    await app.connect({ token: testToken('ann') });
    const client = await says(app, text);
    // So that the server has read it.
    await fetch(`${app.url}/fast`);
    expect(await closes(app)).toBe(true);
    await client.closed();
  });

  it('although a client has begun a second request', async () => {
    const app = await start(platform);
    const client = await says(app, 'GET /fast HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.heard('done at once');
    await client.write('GET /fast HTTP/1.1\r\nHo');
    await fetch(`${app.url}/fast`);
    expect(await closes(app)).toBe(true);
  });

  it('only after a request that is being answered', async () => {
    const app = await start(platform);
    const client = await says(app, 'GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    await SlowWork.begun;
    const closing = closes(app);
    await vi.waitUntil(() => !(app.app.getHttpServer() as Server).listening, 15_000);
    setTimeout(() => SlowWork.finish('answered in the end'), 200);
    expect(await client.closed()).toContain('answered in the end');
    expect(await closing).toBe(true);
  });

  it('twin: not while such sockets are left alone', async () => {
    const end = vi.spyOn(RequestHeads.prototype, 'endWhenClosing').mockReturnValue();
    onTestFinished(() => end.mockRestore());
    const app = await start(platform);
    const client = await says(app, 'GET /ws HTTP/1.1\r\nHost: x\r\n');
    await fetch(`${app.url}/fast`);
    expect(await closes(app, 500)).toBe(false);
    client.socket.destroy();
  });

  it('and heads may take 15 s where the application has left the default', async () => {
    const app = await start(platform);
    expect((app.app.getHttpServer() as Server).headersTimeout).toBe(15_000);
  });
});

it('A timeout for heads that the application has set stays', async () => {
  const app = await listen({
    imports: [RealtimeModule.forRoot({ providers: [TEST_TOKENS] })],
    configure: (nest) => void ((nest.getHttpServer() as Server).headersTimeout = 30_000),
  });
  expect((app.app.getHttpServer() as Server).headersTimeout).toBe(30_000);
});
