import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../helpers/chromium.js';
import { keepPicture, KEEPS_PICTURES, PICTURE_WIDTH } from './kept-picture.js';
import { startSample, type SampleServer } from './sample-server.js';
import { sideBySide, TAB_WIDTH } from './side-by-side.js';
import { Tab } from './tab.js';

const INSTALLATION_MS = 600_000;
const CHART_POINTS = KEEPS_PICTURES ? 30 : 2;
const JOB_PROGRESS = KEEPS_PICTURES ? /[6-9]\d %|100 %/ : /%/;

/** Size of a tab, in CSS pixels: wide enough for two columns. */
const VIEWPORT = { width: 690, height: 1000 };

describe('Two tabs of sample 01 side by side', () => {
  let browser: Browser;
  let server: SampleServer;
  let alice: Tab;
  let carol: Tab;

  beforeAll(async () => {
    browser = await launchChromium();
    server = await startSample();
    const context = await browser.newContext({
      viewport: VIEWPORT,
      deviceScaleFactor: TAB_WIDTH / VIEWPORT.width,
      reducedMotion: 'reduce',
    });
    carol = await Tab.open(context, server.url, 'carol');
    await Tab.open(context, server.url, 'alice');
    alice = await Tab.open(context, server.url, 'alice');
    await playScene();
  }, INSTALLATION_MS);

  afterAll(async () => {
    await browser?.close();
    await server?.kill();
  });

  async function playScene(): Promise<void> {
    const drawn = `document.querySelector('#chart-memory polyline').points.length >= ${CHART_POINTS}`;
    await carol.page.waitForFunction(drawn, undefined, { timeout: 60_000 });
    await alice.say('Is it ready yet?');
    await carol.find('.message[data-user=alice]').waitFor();
    await carol.say('In two minutes!');
    await alice.find('.message[data-user=carol]').waitFor();
    await carol.announce('The oven is hot');
    await alice.find('.entry[data-type=announcement]').waitFor();
    await alice.order('Lemonade', 2);
    await alice.find('.entry[data-type="order.created"]').waitFor();
    await alice.click('#job-start');
    await alice.find('#jobs li').filter({ hasText: JOB_PROGRESS }).waitFor();
  }

  it.each(['light', 'dark'] as const)('make a picture of less than 200 KB in %s', async (scheme) => {
    const tabs = [];
    for (const { page } of [alice, carol]) {
      await page.emulateMedia({ colorScheme: scheme });
      await page.bringToFront();
      await page.evaluate('document.activeElement.blur(), scrollTo(0, 0)');
      tabs.push({ title: await page.title(), png: await page.screenshot() });
    }
    const picture = await sideBySide(browser, scheme, tabs);
    expect(picture.readUInt32BE(16)).toBe(PICTURE_WIDTH);
    await keepPicture(`sample-01-${scheme}`, picture);
  });
});
