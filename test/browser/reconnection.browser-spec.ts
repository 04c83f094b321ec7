import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../helpers/chromium.js';
import { startSample, type SampleServer } from './sample-server.js';
import { Tab } from './tab.js';

const INSTALLATION_MS = 600_000;
// Chromium's message for a refused connection, or for a token of the last process that the next one refuses.
const EXPECTED = /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|status of 401/;

let browser: Browser;
let server: SampleServer;
let alice: Tab;
let alicesOther: Tab;
let carol: Tab;
let complaints: string[];

beforeAll(async () => {
  browser = await launchChromium();
}, INSTALLATION_MS);

afterAll(() => browser?.close());

/** Three tabs, in two rooms, and a running job; and then the server is gone. */
async function openTabsAndKillServer(): Promise<void> {
  complaints = [];
  server = await startSample();
  const context = await browser.newContext();
  const open = (user: string) => Tab.open(context, server.url, user, (text) => complaints.push(text));
  [alice, alicesOther, carol] = await Promise.all([open('alice'), open('alice'), open('carol')]);
  await carol.chooseRoom('staff');
  await carol.entered();
  await alice.click('#job-start');
  await alice.find('#jobs li').waitFor();
  await server.kill();
}

async function closeTabs(): Promise<void> {
  for (const context of browser.contexts()) await context.close();
}

describe('When the server has been killed, a page of sample 01', () => {
  beforeAll(openTabsAndKillServer);
  afterAll(closeTabs);

  it('says why it is offline, and when it tries again', async () => {
    await expect.poll(() => alice.find('#connection').innerText()).toMatch(/^offline: .+, next try in \d+ s$/s);
  });

  it('shows that its running job will say no more', async () => {
    await expect.poll(() => alice.find('#jobs li[data-lost]').count()).toBe(1);
  });

  it('lets nobody talk', async () => {
    await expect.poll(() => alice.find('#chat-text').isEnabled()).toBe(false);
  });
});

describe('When the server is back, a page of sample 01', () => {
  beforeAll(async () => {
    await openTabsAndKillServer();
    await Promise.all([alice, alicesOther, carol].map((tab) => tab.find('[data-state=waiting]').waitFor()));
    server = await startSample(Number(new URL(server.url).port));
  });

  afterAll(async () => {
    await closeTabs();
    await server?.kill();
  });

  it('is online again', async () => {
    for (const tab of [alice, alicesOther, carol]) await expect.poll(() => tab.state()).toBe('online');
  });

  it('gets its messages again', async () => {
    await Promise.all([alice.entered(), alicesOther.entered()]);
    await alice.order('Espresso', 2);
    await expect.poll(() => alicesOther.feed('order.created')).toEqual(['Order received: 2 × Espresso']);
  });

  it('is in the room where it was', async () => {
    await expect.poll(() => alice.members()).toEqual(['alice × 2']);
    await expect.poll(() => carol.members()).toEqual(['carol']);
  });

  it('has complained of nothing but the server', async () => {
    await Promise.all([alice, alicesOther, carol].map((tab) => tab.entered()));
    expect(complaints.filter((text) => !EXPECTED.test(text))).toEqual([]);
  });
});
