import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { answerTo } from '../../sample/03-ai-chat/src/model/fake-model.js';
import { launchChromium } from '../helpers/chromium.js';
import { keepPicture, PICTURE_WIDTH } from './kept-picture.js';
import { startCluster, type SampleCluster } from './sample-cluster.js';

const INSTALLATION_MS = 600_000;
/** More than a node's lease, and than the answer to the short question. */
const ENDED = { timeout: 100_000 };
const QUESTION = 'What is a stream?';
/** The answer repeats the question, so that this one takes a minute and a half at least: nobody waits for its end. */
const LONG_QUESTION = 'And then? '.repeat(190).trim();

/** The id of the process that answers at an address, if any. */
async function pidAt(node: string): Promise<number | undefined> {
  const answer = await fetch(new URL('/node', node)).catch(() => undefined);
  return answer && ((await answer.json()) as { pid: number }).pid;
}

describe('The page of sample 03', { timeout: 180_000 }, () => {
  let browser: Browser;
  let cluster: SampleCluster;
  let context: BrowserContext;
  let chatId: string;
  let complaints: string[];

  beforeAll(async () => {
    browser = await launchChromium();
    cluster = await startCluster('03-ai-chat');
  }, INSTALLATION_MS);

  afterAll(async () => {
    await browser?.close();
    await cluster?.stop();
  });

  beforeEach(async () => {
    // A node that an earlier test has killed comes back by itself.
    for (const node of cluster.nodes) await expect.poll(() => pidAt(node)).toBeTypeOf('number');
    context = await browser.newContext({ viewport: { width: 800, height: 700 } });
    chatId = randomUUID();
    complaints = [];
  });

  afterEach(() => context?.close());

  /** Opens a tab on the conversation of this test. */
  async function openTab(node: number): Promise<Tab> {
    const page = await context.newPage();
    page.on('pageerror', (error) => complaints.push(`${error}`));
    await page.goto(`${cluster.nodes[node]}/#${chatId}`);
    const tab = new Tab(page);
    await tab.entered();
    return tab;
  }

  /** Opens a tab that shows the beginning of an answer. */
  async function openAsking(question: string): Promise<Tab> {
    const tab = await openTab(0);
    await tab.ask(question);
    await tab.begun(question);
    return tab;
  }

  it('shows the whole answer after a reload in the middle, as does a second tab on the other node', async () => {
    const tab = await openAsking(QUESTION);
    await tab.page.reload();
    const second = await openTab(1);
    for (const { page } of [tab, second]) await page.locator('[data-state=end]').waitFor(ENDED);
    for (const each of [tab, second]) {
      expect([await each.questions(), await each.answers()]).toEqual([[QUESTION], [answerTo(QUESTION)]]);
    }
    expect(complaints).toEqual([]);
  });

  it('stops the answer for all tabs, from whichever node, and offers to ask again', async () => {
    const tab = await openAsking(LONG_QUESTION);
    const second = await openTab(1);
    await second.begun(LONG_QUESTION);
    await second.find('#stop').click();
    for (const { page } of [tab, second]) await page.locator('[data-state=stopped]').waitFor(ENDED);
    const [answer] = await tab.answers();
    expect(await second.answers()).toEqual([answer]);
    expect(answer!.length).toBeLessThan(answerTo(LONG_QUESTION).length);
    expect(await tab.find('.again:visible').count()).toBe(1);
    expect(await tab.find('#send:enabled').count()).toBe(1);
    expect(complaints).toEqual([]);
  });

  it('shows that the node which answered was killed, moves to the other one, and may ask again', async () => {
    const tab = await openAsking(LONG_QUESTION);
    const second = await openTab(1);
    await second.begun(LONG_QUESTION);
    process.kill((await pidAt(cluster.nodes[0]!))!, 'SIGKILL');
    for (const { page } of [tab, second]) await page.locator('[data-state=error]').waitFor(ENDED);
    const [answer] = await tab.answers();
    expect(await second.answers()).toEqual([answer]);
    expect(answerTo(LONG_QUESTION).startsWith(answer!)).toBe(true);
    expect(await tab.find('.outcome').textContent()).toMatch(/^The answer broke off: ./);

    await tab.find('.again:visible').click();
    await expect.poll(() => second.questions()).toEqual([LONG_QUESTION, LONG_QUESTION]);
    await tab.find('#stop').click();
    for (const { page } of [tab, second]) await page.locator('[data-state=stopped]').waitFor(ENDED);
    expect(complaints).toEqual([]);
  });

  it('can be read in light and in dark, and fits on a phone', async () => {
    const tab = await openAsking(QUESTION);
    await tab.find('[data-state=end]').waitFor(ENDED);
    const faintTexts = await readFile(new URL('faint-texts.js', import.meta.url), 'utf8');
    for (const colorScheme of ['light', 'dark'] as const) {
      await tab.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await tab.page.setViewportSize({ width: PICTURE_WIDTH / 2, height: 700 });
      await keepPicture(`sample-03-${colorScheme}`, await tab.page.screenshot());
      await tab.page.setViewportSize({ width: 360, height: 740 });
      const { looked, faint } = await tab.page.evaluate<{ looked: number; faint: string[] }>(faintTexts);
      expect(looked).toBeGreaterThan(5);
      expect(faint).toEqual([]);
    }
    const [content, window] = await tab.page.evaluate<[number, number]>(
      '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
    );
    expect(content).toBeLessThanOrEqual(window);
  });
});

/** A tab on a conversation. */
class Tab {
  constructor(readonly page: Page) {
    page.setDefaultTimeout(40_000);
  }

  find(selector: string) {
    return this.page.locator(selector);
  }

  /** Resolves when it is online, and in the conversation. */
  async entered(): Promise<void> {
    await this.find('#connection[data-state=online]').waitFor();
    await this.find('#send:not(:disabled)').waitFor({ state: 'attached' });
  }

  async ask(question: string): Promise<void> {
    await this.find('#ask input').fill(question);
    await this.find('#send').click();
  }

  /** Resolves when the first words of the answer are shown. */
  async begun(question: string): Promise<void> {
    await expect.poll(() => this.answers(), ENDED).toEqual([expect.stringMatching(/^You ask: “\w+ /)]);
    expect(await this.questions()).toEqual([question]);
  }

  questions(): Promise<(string | null)[]> {
    return this.find('.question').allTextContents();
  }

  answers(): Promise<string[]> {
    return this.find('.answer').allTextContents();
  }
}
