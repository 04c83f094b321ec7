import { readFile } from 'node:fs/promises';
import type { Browser, FrameLocator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { launchChromium } from '../helpers/chromium.js';
import { keepPicture, PICTURE_WIDTH } from './kept-picture.js';
import { launchInVain, startCluster, type SampleCluster } from './sample-cluster.js';

const INSTALLATION_MS = 600_000;
// Chromium's message for a refused connection.
const LOST_NODE = /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_SOCKET_NOT_CONNECTED/;

const hostOf = (url: string | undefined) => new URL(url!).host;

/** Returns the id of the process that answers at an address, if any. */
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

  /** Opens a separate tab in which a user connects to a node. */
  async function openTab(node: string | undefined, user: string): Promise<Room> {
    const tab = await browser.newPage();
    onTestFinished(() => tab.close());
    tab.setDefaultTimeout(20_000);
    await tab.goto(`${node}/?as=${user}`);
    const room = new Room(tab);
    await room.entered();
    return room;
  }

  it('holds two pages, each connected to a node of its own', async () => {
    expect(await first.state()).toBe(`online: ${hostOf(cluster.nodes[0])}`);
    expect(await second.state()).toBe(`online: ${hostOf(cluster.nodes[1])}`);
    expect(complaints).toEqual([]);
  });

  it('shows on each node what is said on the other', async () => {
    await first.say('Hello from the first node');
    await expect.poll(() => second.news()).toEqual(['Hello from the first node']);
    await second.say('Hello from the second');
    await expect.poll(() => first.news()).toEqual(['Hello from the first node', 'Hello from the second']);
  });

  it('shows to whoever comes what was said before, as the others saw it', async () => {
    for (const text of ['one', 'two', 'three']) await first.say(text);
    await expect.poll(() => first.news()).toEqual(['one', 'two', 'three']);
    const carol = await openTab(cluster.nodes[1], 'carol');
    expect(await carol.chat()).toEqual(await first.chat());
  });

  it('shows what was said while its node was dead once it has moved, each once and in order', async () => {
    await first.say('before');
    await expect.poll(() => second.news()).toEqual(['before']);
    const dead = (await pidAt(cluster.nodes[1]))!;
    // Frozen it holds its page, and passes nothing on: what is said now is said in its absence, however fast it moves.
    process.kill(dead, 'SIGSTOP');
    const missed = ['one', 'two', 'three'];
    for (const text of missed) await first.say(text);
    await expect.poll(() => first.news()).toEqual(['before', ...missed]);
    expect(await second.news()).toEqual(['before']);
    process.kill(dead, 'SIGKILL');

    await expect.poll(() => second.state()).toBe(`online: ${hostOf(cluster.nodes[0])}`);
    await expect.poll(() => second.news()).toEqual(['before', ...missed]);
    await first.say('after');
    await expect.poll(() => second.news()).toEqual(['before', ...missed, 'after']);
    expect(await second.chat()).toEqual(await first.chat());
  });

  it('counts the connections of both nodes in the delivery report', async () => {
    const other = await openTab(cluster.nodes[1], 'alice');
    await first.find('#order-submit').click();
    await expect.poll(() => first.find('#order-result').textContent()).toBe('Delivered to 2 connections of alice');
    await expect.poll(() => other.feed('order.created')).toEqual(['Order received: 1 × Espresso']);
    expect(await second.feed('order.created')).toEqual([]);
  });

  it('lists who is in the room on both nodes, with initials', async () => {
    for (const pane of [first, second]) {
      await expect.poll(() => pane.members()).toEqual(['Alice Archer', 'Bob Baker']);
      expect(await pane.find('#chat-members .avatar').allTextContents()).toEqual(['AA', 'BB']);
    }
  });

  it('takes off the list who closes the tab, and keeps whoever moves to another node', async () => {
    const carol = await openTab(cluster.nodes[0], 'carol');
    const all = ['Alice Archer', 'Bob Baker', 'Carol Clark'];
    for (const pane of [first, second]) await expect.poll(() => pane.members()).toEqual(all);
    await first.recordMembers();
    process.kill((await pidAt(cluster.nodes[1]))!, 'SIGKILL');
    await expect.poll(() => second.state()).toBe(`online: ${hostOf(cluster.nodes[0])}`);
    await carol.page.close();
    for (const pane of [first, second]) await expect.poll(() => pane.members()).toEqual(['Alice Archer', 'Bob Baker']);
    expect((await first.recordedMembers()).filter((names) => !names.includes('Bob Baker'))).toEqual([]);
  });

  it('shows on the other node who is typing, for as long as it lasts', async () => {
    await second.type('Well');
    await expect.poll(() => first.typing()).toBe('Bob Baker is typing');
    expect(await second.typing()).toBe('');
    await expect.poll(() => first.typing()).toBe('');
    await second.type('Well, well');
    await expect.poll(() => first.typing()).toBe('Bob Baker is typing');
    await second.send();
    await expect.poll(() => first.news()).toEqual(['Well, well']);
    expect(await first.typing()).toBe('');
  });

  it('does not keep that somebody was typing', async () => {
    await second.type('Well');
    await expect.poll(() => first.typing()).toBe('Bob Baker is typing');
    const carol = await openTab(cluster.nodes[0], 'carol');
    expect(await carol.chat()).toEqual(await first.chat());
    expect(await first.news()).toEqual([]);
    expect(await carol.typing()).toBe('');
  });

  it('shows cursors of the other node as they move, on a slow line too, and where they came to rest', async () => {
    const carol = await openTab(cluster.nodes[1], 'carol');
    const line = await carol.page.context().newCDPSession(carol.page);
    // A slow 3G line, in milliseconds and bytes a second.
    const slow = { offline: false, latency: 200, downloadThroughput: 50_000, uploadThroughput: 50_000 };
    await line.send('Network.emulateNetworkConditions', slow);
    await carol.recordCursors();
    await first.find('#board').scrollIntoViewIfNeeded();
    const board = (await first.find('#board').boundingBox())!;
    const at = (x: number, y: number) => [board.x + board.width * x, board.y + board.height * y] as const;
    for (let step = 0; step <= 180; step++) await page.mouse.move(...at(0.1 + (0.8 * step) / 180, 0.25));
    await page.mouse.move(...at(0.75, 0.5));
    await expect.poll(async () => (await carol.recordedCursors()).at(-1)).toBe('alice 0.75 0.50');
    expect((await carol.recordedCursors()).length).toBeGreaterThan(20);
    expect(await carol.state()).toBe(`online: ${hostOf(cluster.nodes[1])}`);
    expect(await first.find('#board .cursor').allTextContents()).toEqual([]);
  });

  it('goes on with the other node when one is killed, in both directions', async () => {
    await second.recordStates();
    process.kill((await pidAt(cluster.nodes[1]))!, 'SIGKILL');
    const survivor = `online: ${hostOf(cluster.nodes[0])}`;
    await expect.poll(() => second.state()).toBe(survivor);
    expect(await second.recordedStates()).toEqual([expect.stringMatching(/^offline: /), survivor]);
    expect(await first.state()).toBe(survivor);

    await first.say('Are you still there?');
    await expect.poll(() => second.news()).toEqual(['Are you still there?']);
    await second.say('Again, yes');
    await expect.poll(() => first.news()).toEqual(['Are you still there?', 'Again, yes']);
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
    }
    await first.say('Both on the second');
    await expect.poll(() => second.news()).toEqual(['Both on the second']);
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

  it.each(['light', 'dark'] as const)(
    'make a picture of less than 200 KB in %s, and one of the inspector',
    async (colorScheme) => {
      await page.setViewportSize({ width: PICTURE_WIDTH, height: 860 });
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await first.say('Shall we meet at noon?');
      await second.say('Yes, at the fountain');
      await second.find('#board').scrollIntoViewIfNeeded();
      await second.find('#board').hover({ position: { x: 120, y: 60 } });
      await first.find('#board .cursor').waitFor();
      await second.find('#chat-title').scrollIntoViewIfNeeded();
      await first.find('#board').scrollIntoViewIfNeeded();
      await page.evaluate('document.activeElement.blur(), scrollTo(0, 0)');
      await keepPicture(`sample-02-${colorScheme}`, await page.screenshot());

      const { page: tab } = await openTab(cluster.nodes[0], 'carol');
      await tab.setViewportSize({ width: PICTURE_WIDTH, height: 860 });
      await tab.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await tab.goto(`${cluster.nodes[0]}/realtime`);
      await tab.getByText('chat:lobby').first().waitFor();
      await keepPicture(`inspector-${colorScheme}`, await tab.screenshot());
    },
  );

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

/** The page of one user, in a tab of its own or in a frame. */
class Room {
  private backlog = 0;

  constructor(
    readonly page: Page,
    private readonly root: Page | FrameLocator = page,
  ) {}

  find(selector: string) {
    return this.root.locator(selector);
  }

  /** Resolves when the page is online and in the room, and shows what was said there before. */
  async entered(): Promise<void> {
    await this.find('#connection[data-state=online]').waitFor();
    await this.find('#chat-send:enabled').waitFor();
    await this.find('#chat-messages[aria-busy=false]').waitFor();
    this.backlog = (await this.chat()).length;
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

  /** From now on keeps every list of members that is shown, however short, as one text. */
  async recordMembers(): Promise<void> {
    await this.find('#chat-members').evaluate((element) => {
      const lists: (string | null)[] = [];
      Object.assign(element, { lists });
      new (globalThis as any).MutationObserver(() => {
        lists.push((element as { textContent: string | null }).textContent);
      }).observe(element, { childList: true });
    });
  }

  recordedMembers(): Promise<string[]> {
    return this.find('#chat-members').evaluate((element) => (element as unknown as { lists: string[] }).lists);
  }

  /** From now on keeps every place of a cursor that is shown, as `alice 0.25 0.50`. */
  async recordCursors(): Promise<void> {
    await this.find('#board').evaluate((board) => {
      const places: string[] = [];
      Object.assign(board, { places });
      const options = { subtree: true, childList: true, attributes: true, attributeFilter: ['style'] };
      new (globalThis as any).MutationObserver(() => {
        for (const cursor of (board as any).querySelectorAll('.cursor')) {
          const [x, y] = ['--x', '--y'].map((name) => Number(cursor.style.getPropertyValue(name)).toFixed(2));
          const place = `${cursor.dataset.user} ${x} ${y}`;
          if (places.at(-1) !== place) places.push(place);
        }
      }).observe(board, options);
    });
  }

  recordedCursors(): Promise<string[]> {
    return this.find('#board').evaluate((board) => (board as unknown as { places: string[] }).places);
  }

  /** All that is shown of what was said. */
  chat(): Promise<string[]> {
    return this.find('.message .text').allTextContents();
  }

  /** Returns the chat messages since the page entered; the room also keeps those of earlier tests. */
  async news(): Promise<string[]> {
    return (await this.chat()).slice(this.backlog);
  }

  members(): Promise<string[]> {
    return this.find('#chat-members [data-part=name]').allTextContents();
  }

  typing(): Promise<string | null> {
    return this.find('#chat-typing').textContent();
  }

  feed(type: string): Promise<string[]> {
    return this.find(`.entry[data-type="${type}"] .entry-text`).allTextContents();
  }

  async type(text: string): Promise<void> {
    await this.find('#chat-text').fill(text);
  }

  async send(): Promise<void> {
    await this.find('#chat-send').click();
  }

  /** Resolves when the server has confirmed it: the field is empty then. */
  async say(text: string): Promise<void> {
    await this.type(text);
    await this.send();
    await expect.poll(() => this.find('#chat-text').inputValue()).toBe('');
  }
}

/** The part of the page that belongs to a node: how the node is, and the page that started there. */
class Pane extends Room {
  constructor(
    page: Page,
    private readonly host: string,
  ) {
    super(page, page.frameLocator(`[data-start="${host}"] iframe`));
  }

  /** How its node is. */
  card(): Promise<string | null> {
    return this.page.locator(`[data-node="${this.host}"] [data-part=state]`).textContent();
  }
}
