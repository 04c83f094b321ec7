import { fileURLToPath } from 'node:url';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { CancelSignal, OnMessage, TopicGateway } from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { launchChromium } from '../helpers/chromium.js';
import { startRealtimeApp, type RealtimeApp } from '../helpers/realtime-app.js';

const INSTALLATION_MS = 600_000;

const folder = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** What producers do, in order. */
let log: string[];
/** How many streams that wait have begun. */
let begun: number;

@TopicGateway('chat')
class ChatTopic {
  @OnMessage('count', { requireSubscription: false })
  async *count() {
    yield 1;
    yield 2;
  }

  /** Waits for an item that never comes, as long as the signal lets it. */
  @OnMessage('waits', { requireSubscription: false })
  async *waits(@CancelSignal() signal: AbortSignal) {
    try {
      begun += 1;
      yield 'first';
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    } finally {
      log.push('ended');
    }
  }
}

/** Loads the module as a browser does, without a bundler, and has a client of each protocol. */
const PAGE = `<!doctype html>
<title>client</title>
<script src="/centrifuge/centrifuge.js"></script>
<script type="module">
  import { streamMessage, streamRpc } from '/client/index.js';
  const { token } = Object.fromEntries(new URLSearchParams(location.search));
  const url = location.origin.replace('http', 'ws');
  const socket = new WebSocket(url + '/ws?token=' + token);
  const client = new Centrifuge(url + '/ws/connection/websocket', { token });
  client.connect();
  const open = {
    plain: (type) => streamMessage(socket, { topic: 'chat', type }),
    sdk: (type) => streamRpc(client, type, { topic: 'chat' }),
  };
  window.taken = async (protocol, type, most = Infinity) => {
    const items = [];
    for await (const item of open[protocol](type)) {
      items.push(item);
      if (items.length === most) break;
    }
    return items;
  };
</script>`;

let browser: Browser;
let app: RealtimeApp;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  browser = await launchChromium();
}, INSTALLATION_MS);

afterAll(() => browser?.close());

beforeEach(async () => {
  log = [];
  begun = 0;
  complaints = [];
  app = await startRealtimeApp({
    providers: [ChatTopic],
    options: { centrifuge: true },
    configure: (nest) => {
      const express = nest as NestExpressApplication;
      express.useStaticAssets(folder('dist/client'), { prefix: '/client' });
      express.useStaticAssets(folder('node_modules/centrifuge/dist'), { prefix: '/centrifuge' });
      express.use('/page', (_request: unknown, response: { type(type: string): { send(text: string): void } }) =>
        response.type('html').send(PAGE),
      );
    },
  });
  page = await browser.newPage();
  page.on('pageerror', (error) => complaints.push(`${error}`));
  await page.goto(`${app.url}/page?token=${testToken('ann')}`);
  await page.waitForFunction('window.taken');
});

it.each(['plain', 'sdk'])('a page takes all items of a stream (%s)', async (protocol) => {
  expect([await page.evaluate(`taken('${protocol}', 'count')`), complaints]).toEqual([[1, 2], []]);
});

it.each(['plain', 'sdk'])('a page that leaves the loop ends the producer (%s)', async (protocol) => {
  expect(await page.evaluate(`taken('${protocol}', 'waits', 1)`)).toEqual(['first']);
  await expect.poll(() => [log, complaints]).toEqual([['ended'], []]);
});

it.each(['plain', 'sdk'])('a page that is closed ends the producer (%s)', async (protocol) => {
  void page.evaluate(`taken('${protocol}', 'waits')`).catch(() => undefined);
  await expect.poll(() => begun).toBe(1);
  await page.close();
  await expect.poll(() => log).toEqual(['ended']);
});
