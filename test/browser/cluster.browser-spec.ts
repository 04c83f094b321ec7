import { readFile } from 'node:fs/promises';
import type { Browser, FrameLocator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { launchChromium } from '../helpers/chromium.js';
import { launchInVain, startCluster, type SampleCluster } from './sample-cluster.js';

const INSTALLATION_MS = 600_000;
// What Chromium says by itself when nobody answers.
const LOST_NODE = /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_SOCKET_NOT_CONNECTED/;

const hostOf = (url: string | undefined) => new URL(url!).host;

/** What answers at an address: a node's process, or nobody. */
async function pidAt(node: string | undefined): Promise<number | undefined> {
  const answer = await fetch(new URL('/node', node)).catch(() => undefined);
  return answer && ((await answer.json()) as { pid: number }).pid;
}

describe('The page of sample 02', () => {
  let browser: Browser;
  let cluster: SampleCluster;
  let page: Page;
  let complaints: string[];
  let first: Pane;
  let second: Pane;

  beforeAll(async () => {
    browser = await launchChromium();
    cluster = await startCluster();
  }, INSTALLATION_MS);

  afterAll(async () => {
    await browser?.close();
    await cluster?.stop();
  });

  beforeEach(async () => {
    // A node that an earlier test has killed comes back by itself.
    for (const node of cluster.nodes) await expect.poll(() => pidAt(node)).toBeTypeOf('number');
    complaints = [];
    page = await browser.newPage({ viewport: { width: 1400, height: 1000 } });
    page.setDefaultTimeout(20_000);
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(`${error}`));
    await page.goto(cluster.url);
    [first, second] = cluster.nodes.map((node) => new Pane(page, hostOf(node))) as [Pane, Pane];
    await Promise.all([first.entered(), second.entered()]);
  });

  afterEach(() => page?.close());

  it('holds two pages, each connected to a node of its own', async () => {
    expect(await first.state()).toBe(`online: ${hostOf(cluster.nodes[0])}`);
    expect(await second.state()).toBe(`online: ${hostOf(cluster.nodes[1])}`);
    expect(complaints).toEqual([]);
  });

  it('shows on each node what is said on the other', async () => {
    await first.say('Hello from the first node');
    await expect.poll(() => second.chat()).toEqual(['Hello from the first node']);
    await second.say('Hello from the second');
    await expect.poll(() => first.chat()).toEqual(['Hello from the first node', 'Hello from the second']);
  });

  it('counts the connections of both nodes in the delivery report', async () => {
    await first.find('#order-submit').click();
    await expect.poll(() => first.find('#order-result').textContent()).toBe('Delivered to 2 connections of alice');
    await expect.poll(() => second.feed('order.created')).toEqual(['Order received: 1 × Espresso']);
  });

  it('lists who is in the room on both nodes', async () => {
    await expect.poll(() => first.members()).toEqual(['alice × 2']);
    await expect.poll(() => second.members()).toEqual(['alice × 2']);
  });

  it('goes on with the other node when one is killed, in both directions', async () => {
    await second.recordStates();
    process.kill((await pidAt(cluster.nodes[1]))!, 'SIGKILL');
    const survivor = `online: ${hostOf(cluster.nodes[0])}`;
    await expect.poll(() => second.state()).toBe(survivor);
    expect(await second.recordedStates()).toEqual([
      expect.stringMatching(/^offline: /),
      `connecting: ${hostOf(cluster.nodes[0])}`,
      survivor,
    ]);
    expect(await first.state()).toBe(survivor);

    await second.entered();
    await first.say('Are you still there?');
    await expect.poll(() => second.chat()).toEqual(['Are you still there?']);
    await second.say('Again, yes');
    await expect.poll(() => first.chat()).toEqual(['Are you still there?', 'Again, yes']);
    expect(complaints.filter((text) => !LOST_NODE.test(text))).toEqual([]);
  });

  it('kills a node by its button, and shows that it is down and that it comes back', async () => {
    const before = await pidAt(cluster.nodes[0]);
    await page.getByRole('button', { name: 'Kill node 1' }).click();
    await expect.poll(() => first.card()).toMatch(/^down/);
    await expect.poll(() => first.card()).toMatch(/^up, process \d+$/);
    expect(await pidAt(cluster.nodes[0])).not.toBe(before);
    await expect.poll(() => first.state()).toBe(`online: ${hostOf(cluster.nodes[1])}`);
    expect(complaints.filter((text) => !LOST_NODE.test(text))).toEqual([]);
  });

  it('has both pages on the node that came back when the other one is killed', async () => {
    process.kill((await pidAt(cluster.nodes[1]))!, 'SIGKILL');
    await expect.poll(() => second.state()).toBe(`online: ${hostOf(cluster.nodes[0])}`);
    await expect.poll(() => pidAt(cluster.nodes[1])).toBeTypeOf('number');
    process.kill((await pidAt(cluster.nodes[0]))!, 'SIGKILL');
    for (const pane of [first, second]) {
      await expect.poll(() => pane.state()).toBe(`online: ${hostOf(cluster.nodes[1])}`);
      await pane.entered();
    }
    await first.say('Both on the second');
    await expect.poll(() => second.chat()).toEqual(['Both on the second']);
  });

  it('keeps pages of other origins from killing a node', async () => {
    const before = await pidAt(cluster.nodes[0]);
    const stranger = await browser.newPage();
    await stranger.route('http://stranger.test/', (route) => route.fulfill({ body: 'hello' }));
    await stranger.goto('http://stranger.test/');
    const outcome = await stranger.evaluate<string>(
      `fetch('${cluster.nodes[0]}/node', { method: 'DELETE' }).then(() => 'done', () => 'refused')`,
    );
    await stranger.close();
    expect([outcome, await pidAt(cluster.nodes[0])]).toEqual(['refused', before]);
  });

  it.each(['light', 'dark'] as const)('can be read in %s', async (colorScheme) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await expect.poll(() => first.card()).toMatch(/^up/);
    const faintTexts = await readFile(new URL('faint-texts.js', import.meta.url), 'utf8');
    for (const frame of page.frames()) {
      const { looked, faint } = await frame.evaluate<{ looked: number; faint: string[] }>(faintTexts);
      expect(looked).toBeGreaterThan(5);
      expect(faint).toEqual([]);
    }
  });

  it('fits on a phone', async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    for (const frame of page.frames()) {
      const [content, window] = await frame.evaluate<[number, number]>(
        '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
      );
      expect(content).toBeLessThanOrEqual(window);
    }
  });
});

describe('The launcher of sample 02', () => {
  it('ends the nodes and Redis when it is told to end', async () => {
    const cluster = await startCluster();
    expect(await cluster.stop()).toBe(0);
    expect(await Promise.all(cluster.nodes.map(pidAt))).toEqual([undefined, undefined]);
    await expect(fetch(cluster.redis.replace('redis:', 'http:'))).rejects.toThrow(/fetch failed/);
  });

  it('says what to install where there is no Redis', async () => {
    const { code, output } = await launchInVain({ REDIS_SERVER_PATH: '/nowhere/redis-server' });
    expect(code).toBe(1);
    expect(output).toMatch(/install it: sudo apt-get install redis-server/);
  });

  it('says what is wrong with a port', async () => {
    expect(await launchInVain({ PORT: 'http' })).toEqual({
      code: 1,
      output: 'PORT is http; it must be a number from 0 to 65534\n',
    });
  });
});

/** The part of the page that belongs to a node: how the node is, and the page of sample 01 that started there. */
class Pane {
  private readonly frame: FrameLocator;

  constructor(
    private readonly page: Page,
    private readonly host: string,
  ) {
    this.frame = page.frameLocator(`[data-node="${host}"] iframe`);
  }

  find(selector: string) {
    return this.frame.locator(selector);
  }

  /** Resolves when the pane is online and in a room. */
  async entered(): Promise<void> {
    await this.find('#connection[data-state=online]').waitFor();
    await this.find('#chat-text:enabled').waitFor();
  }

  /** How its node is. */
  card(): Promise<string | null> {
    return this.page.locator(`[data-node="${this.host}"] [data-part=state]`).textContent();
  }

  /** How its connection is, and to which node. */
  state(): Promise<string | null> {
    return this.find('#connection-state').textContent();
  }

  /** From now on keeps every state that is shown, however short. */
  async recordStates(): Promise<void> {
    await this.find('#connection-state').evaluate((element) => {
      const states: (string | null)[] = [];
      Object.assign(element, { states });
      new (globalThis as any).MutationObserver(() => {
        const { textContent } = element as { textContent: string | null };
        if (states.at(-1) !== textContent) states.push(textContent);
      }).observe(element, { childList: true });
    });
  }

  recordedStates(): Promise<string[]> {
    return this.find('#connection-state').evaluate((element) => (element as unknown as { states: string[] }).states);
  }

  chat(): Promise<string[]> {
    return this.find('.message .text').allTextContents();
  }

  members(): Promise<string[]> {
    return this.find('#chat-members li').allTextContents();
  }

  feed(type: string): Promise<string[]> {
    return this.find(`.entry[data-type="${type}"] .entry-text`).allTextContents();
  }

  async say(text: string): Promise<void> {
    await this.find('#chat-text').fill(text);
    await this.find('#chat-send').click();
  }
}
