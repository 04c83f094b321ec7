import { readFile } from 'node:fs/promises';
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { launchChromium } from '../helpers/chromium.js';
import { startSample, type SampleServer } from './sample-server.js';
import { Tab } from './tab.js';

const INSTALLATION_MS = 600_000;
// Chromium says so by itself, whatever the page makes of it.
const REFUSED_REQUEST = /^Failed to load resource: the server responded with a status of 4/;

describe('The page of sample 01', () => {
  let browser: Browser;
  let server: SampleServer;
  let context: BrowserContext;
  let alice: Tab;
  let alicesOther: Tab;
  let bob: Tab;
  let carol: Tab;

  beforeAll(async () => {
    browser = await launchChromium();
    server = await startSample();
    context = await browser.newContext();
    [alice, alicesOther, bob, carol] = await Promise.all([open('alice'), open('alice'), open('bob'), open('carol')]);
  }, INSTALLATION_MS);

  afterAll(async () => {
    await browser?.close();
    await server?.kill();
  });

  const complaints: string[] = [];

  afterEach(() => {
    expect(complaints.splice(0).filter((text) => !REFUSED_REQUEST.test(text))).toEqual([]);
  });

  const open = (user: string) => Tab.open(context, server.url, user, (text) => complaints.push(text));

  /** A tab for one test, which may do with it what the other tests do not expect; not as alice, whose tabs are counted. */
  async function openForTest(user: 'bob' | 'carol'): Promise<Tab> {
    const tab = await open(user);
    onTestFinished(() => tab.close());
    return tab;
  }

  /** Resolves when everything that was sent before has been shown in this tab, if it was sent there. */
  async function settled(tab: Tab): Promise<void> {
    const text = `fence ${crypto.randomUUID()}`;
    await carol.announce(text);
    await expect.poll(() => tab.feed('announcement')).toContain(`carol: ${text}`);
  }

  describe('when somebody orders', () => {
    it('shows the order in the tab where it was made', async () => {
      await alice.order('Lemonade', 3);
      await expect.poll(() => alice.feed('order.created')).toContain('Order received: 3 × Lemonade');
    });

    it('shows the order in the other tab of the same user', async () => {
      await alice.order('Lemonade', 4);
      await expect.poll(() => alicesOther.feed('order.created')).toContain('Order received: 4 × Lemonade');
    });

    it('shows nothing of it to another user', async () => {
      await alice.order('Lemonade', 5);
      await expect.poll(() => alice.feed('order.created')).toContain('Order received: 5 × Lemonade');
      await settled(bob);
      expect(await bob.feed('order.created')).toEqual([]);
    });

    it('says how many tabs it was delivered to', async () => {
      await alice.order('Croissant', 1);
      await expect.poll(() => alice.find('#order-result').textContent()).toBe('Delivered to 2 connections of alice');
    });

    it('shows what the validation finds wrong', async () => {
      const tab = await openForTest('bob');
      await tab.order('Croissant', 21);
      await expect.poll(() => tab.find('#order-result').textContent()).toBe('quantity must not be greater than 20');
    });
  });

  describe('when a job is started', () => {
    it('moves its bar to the end', async () => {
      const tab = await openForTest('bob');
      await tab.click('#job-start');
      await expect.poll(() => tab.jobs()).toEqual(['100 %']);
      expect(await tab.find('#jobs progress').getAttribute('value')).toBe('100');
    });

    it('shows nothing of it in the other tab of the same user', async () => {
      await alice.click('#job-start');
      await expect.poll(() => alice.jobs()).toContainEqual(expect.stringMatching(/^[1-9]/));
      await settled(alicesOther);
      expect([await alicesOther.jobs(), await alicesOther.feed('job.progress')]).toEqual([[], []]);
    });
  });

  describe('when an admin announces something', () => {
    it.each(['alice', 'alicesOther', 'bob', 'carol'] as const)('shows it in the tab of %s', async (name) => {
      const tab = { alice, alicesOther, bob, carol }[name];
      await carol.announce(`Good morning, ${name}`);
      await expect.poll(() => tab.feed('announcement')).toContain(`carol: Good morning, ${name}`);
    });

    it('offers that to no customer', async () => {
      expect(await alice.find('#announcement-form').isVisible()).toBe(false);
    });

    it('refuses it to a customer who goes round the page', async () => {
      const status = await alice.page.evaluate<number>(`fetch('/announcements', {
        method: 'POST',
        headers: {
          authorization: 'Bearer ' + JSON.parse(sessionStorage.session).token,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ text: 'Free lemonade' }),
      }).then((response) => response.status)`);
      expect(status).toBe(403);
    });
  });

  describe('the charts of the server', () => {
    it.each(['connections', 'memory', 'event-loop'])('draw a line of %s for an admin', async (name) => {
      const points = async () =>
        (await carol.find(`#chart-${name} polyline`).getAttribute('points'))?.split(' ').length;
      await expect.poll(points).toBeGreaterThan(1);
      expect(await carol.find(`#chart-${name}`).isVisible()).toBe(true);
    });

    it('get no value for a customer', async () => {
      await expect.poll(() => carol.feed('metrics')).toHaveLength(1);
      await settled(alice);
      expect([await alice.feed('metrics'), await alice.find('#metrics polyline[points]').count()]).toEqual([[], 0]);
    });

    it('are hidden from a customer', async () => {
      expect(await alice.find('#metrics').isVisible()).toBe(false);
    });
  });

  describe('the chat', () => {
    it('shows what is said to everybody in the room', async () => {
      await bob.say('Hello from bob');
      for (const tab of [alice, alicesOther, bob, carol]) {
        await expect.poll(() => tab.chat()).toContain('Hello from bob');
      }
    });

    it('ticks what the server has confirmed', async () => {
      await alice.say('Is this thing on?');
      const ticked = alice.find('.message[data-own=true][data-confirmed]').filter({ hasText: 'Is this thing on?' });
      await expect.poll(() => ticked.count()).toBe(1);
    });

    it('shows what the validation finds wrong', async () => {
      const tab = await openForTest('bob');
      await tab.say('');
      await expect
        .poll(() => tab.find('#chat-error').textContent())
        .toBe('text must be longer than or equal to 1 characters (VALIDATION_FAILED)');
    });

    it('keeps a customer out of the room of the staff', async () => {
      const tab = await openForTest('bob');
      await tab.chooseRoom('staff');
      await expect.poll(() => tab.find('#chat-error').textContent()).toMatch(/^chat:staff: .+ \(FORBIDDEN\)$/);
      expect(await tab.find('#chat-text').isEnabled()).toBe(false);
      const told = await tab.page.evaluate<string>(
        "getComputedStyle(document.querySelector('#chat-messages'), '::after').content",
      );
      expect(told).toContain('You are not in this room');
    });

    it('shows nothing of another room', async () => {
      const tab = await openForTest('carol');
      await tab.chooseRoom('staff');
      await tab.entered();
      await tab.say('Between us');
      await expect.poll(() => tab.chat()).toEqual(['Between us']);
      await settled(carol);
      expect(await carol.chat()).not.toContain('Between us');
    });

    it('lists who is in the room, and in how many tabs', async () => {
      await expect.poll(() => bob.members()).toEqual(['alice × 2', 'bob', 'carol']);
    });

    it('takes off the list who closes a tab', async () => {
      const tab = await open('bob');
      await expect.poll(() => alice.members()).toContain('bob × 2');
      await tab.close();
      await expect.poll(() => alice.members()).toContain('bob');
    });

    it('takes off the list who goes to another room', async () => {
      const tab = await openForTest('carol');
      await expect.poll(() => alice.members()).toContain('carol × 2');
      await tab.chooseRoom('staff');
      await expect.poll(() => alice.members()).toContain('carol');
    });
  });

  describe('the frames', () => {
    it('show what the page sends and gets, newest first, once they are opened', async () => {
      const tab = await openForTest('bob');
      expect(await tab.find('#frames li').count()).toBe(0);
      await tab.click('#wire summary');
      await tab.say('On the wire');
      await expect
        .poll(() => tab.find('#frames li').allTextContents())
        .toEqual(
          expect.arrayContaining([
            expect.stringMatching(/^↑ \{"action":"message".*"On the wire"/),
            expect.stringMatching(/^↓ \{.*"type":"said".*"On the wire"/),
          ]),
        );
      await tab.click('#wire summary');
      await expect.poll(() => tab.find('#frames li').count()).toBe(0);
    });
  });

  describe('the login', () => {
    it('belongs to one tab', async () => {
      const first = await openForTest('bob');
      const opened = context.waitForEvent('page');
      await first.click('.second-tab a:text("carol")');
      const second = new Tab(await opened);
      onTestFinished(() => second.close());
      await second.entered();
      await first.page.reload();
      await first.entered();
      expect([await first.find('#me').textContent(), await second.find('#me').textContent()]).toEqual(['bob', 'carol']);
    });

    it('is refused to a name that nobody has', async () => {
      const page = await context.newPage();
      onTestFinished(() => page.close());
      await page.goto(`${server.url}/?as=mallory`);
      await expect
        .poll(() => page.locator('#login-notice').textContent())
        .toBe('There is no user "mallory"; try alice, bob, carol');
    });

    it('can be another one after a logout', async () => {
      const tab = await openForTest('bob');
      await tab.click('#logout');
      await tab.click('[data-login=carol]');
      await tab.entered();
      expect(await tab.find('#me').textContent()).toBe('carol');
    });
  });

  describe('looked at', () => {
    it.each(['light', 'dark'] as const)('can be read in %s', async (colorScheme) => {
      const tab = await openForTest('carol');
      await tab.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await tab.click('#job-start');
      await tab.order('Espresso', 1);
      await tab.say('Can you read this?');
      await expect.poll(() => tab.chat()).toContain('Can you read this?');
      await tab.say('');
      await tab.announce('');
      for (const type of ['order.created', 'job.progress', 'metrics']) {
        await expect.poll(() => tab.feed(type)).toHaveLength(1);
      }
      await expect.poll(() => tab.find('.notice:visible, .result[data-outcome=failed]').count()).toBe(2);
      const faintTexts = await readFile(new URL('faint-texts.js', import.meta.url), 'utf8');
      const { looked, faint } = await tab.page.evaluate<{ looked: number; faint: string[] }>(faintTexts);
      expect(looked).toBeGreaterThan(40);
      expect(faint).toEqual([]);
    });

    it('fits on a phone, whatever is said', async () => {
      const tab = await openForTest('carol');
      await tab.page.setViewportSize({ width: 360, height: 740 });
      const word = 'x'.repeat(200);
      await tab.say(word);
      await tab.announce(word);
      await expect.poll(() => tab.chat()).toContain(word);
      await expect.poll(() => tab.feed('announcement')).toContain(`carol: ${word}`);
      const tooWide = `[...document.querySelectorAll('html, #feed, #chat-messages')]
        .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
        .map(({ id, tagName }) => id || tagName)`;
      expect(await tab.page.evaluate(tooWide)).toEqual([]);
    });
  });
});
