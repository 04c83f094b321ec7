import { readFile } from 'node:fs/promises';
import type { CanActivate } from '@nestjs/common';
import { OnSubscribe, RealtimeModule, TopicGateway, user } from 'nestjs-realtime';
import { RealtimeInspectorModule } from 'nestjs-realtime/inspector';
import { testToken } from 'nestjs-realtime/testing';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { launchChromium } from '../helpers/chromium.js';
import { listen, TEST_TOKENS } from '../helpers/listening-app.js';
import { startCluster, type SampleCluster } from './sample-cluster.js';
import { startSample } from './sample-server.js';
import { Tab } from './tab.js';

const INSTALLATION_MS = 600_000;

/** A killed node is listed until its lease has expired. */
const LEASE_MS = 40_000;

const PICTURES = process.env['INSPECTOR_PICTURES'];

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
}, INSTALLATION_MS);

afterAll(() => browser?.close());

/** The texts of the cells of a table, row by row. */
const rowsOf = (page: Page, table: string) =>
  page
    .locator(`#${table} tbody tr`)
    .evaluateAll((rows) =>
      rows.map((row: any) =>
        Array.from(row.cells, (cell: any) => cell.innerText.replaceAll(/\s+/g, ' ').trim() as string),
      ),
    );

/** Collects what the page complains of. */
function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(`${error}`));
  return complaints;
}

const live = (page: Page) => page.locator('#status[data-state=live]').waitFor();

async function picture(page: Page, name: string): Promise<void> {
  if (PICTURES) await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage: true });
}

class EverybodyGuard implements CanActivate {
  canActivate = () => true;
}

@TopicGateway('chat:{room}')
class Chat {
  @OnSubscribe()
  join() {
    return true;
  }
}

const HOSTILE = [
  '<img src=x onerror="globalThis.hacked=1">',
  '"><script>globalThis.hacked=1</script>',
  "'-alert(1)-'",
  '{folder}${1}',
];

async function openHostile() {
  const app = await listen({
    path: '/ws',
    imports: [
      RealtimeModule.forRoot({ path: '/ws', providers: [TEST_TOKENS] }),
      RealtimeInspectorModule.forRoot({ guard: EverybodyGuard, tail: { payloads: true } }),
    ],
    providers: [Chat],
  });
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  onTestFinished(() => page.close());
  page.setDefaultTimeout(20_000);
  const complaints = complaintsOf(page);
  await page.goto(`${app.url}/realtime`);
  await live(page);
  return { app, page, complaints };
}

describe('The page of the inspector', () => {
  it('shows what clients choose as text', async () => {
    const { app, page, complaints } = await openHostile();
    const clients = [];
    for (const name of HOSTILE) {
      const client = await app.connect({ token: testToken(name, { roles: [name] }) });
      await client.next('realtime:welcome');
      client.send({ action: 'subscribe', id: 's', topic: 'chat:1' });
      await client.next('realtime:subscribed');
      clients.push(client);
    }
    await page.fill('#user-id', HOSTILE[0]!);
    await page.click('#user-form button');
    await expect.poll(() => rowsOf(page, 'user')).toHaveLength(1);
    const [[, , , , roles] = []] = await rowsOf(page, 'user');
    expect(roles).toBe(HOSTILE[0]);

    await page.fill('#tail-topic', 'chat:1');
    await page.click('#tail-form button[type=submit]');
    await expect
      .poll(async () => {
        await app.realtime.publish('chat:1', { type: HOSTILE[0]!, payload: HOSTILE });
        return (await rowsOf(page, 'tail')).length;
      })
      .toBeGreaterThan(0);
    const [[, type, , , text] = []] = await rowsOf(page, 'tail');
    expect(type).toBe(HOSTILE[0]);
    expect(text).toContain('onerror');

    await app.realtime.disconnect(user(HOSTILE[0]!), { reason: HOSTILE[1]! });
    clients[1]!.socket.close(4_001, HOSTILE[0]);
    const latest = async () => (await rowsOf(page, 'closes')).map((cells) => cells.at(-1)).join('\n');
    await expect.poll(latest).toContain(`${HOSTILE[0]} · ${HOSTILE[1]}`);
    await expect.poll(latest).toContain(`4001 ${HOSTILE[0]}`);

    await picture(page, 'hostile');
    expect(
      await page.evaluate('[globalThis.hacked, document.querySelectorAll("main img, main script").length]'),
    ).toEqual([undefined, 0]);
    expect(complaints).toEqual([]);
  });

  it('runs no script and loads no style that stands in a document', async () => {
    const { page, complaints } = await openHostile();
    const outcome = await page.evaluate<string>(`(() => {
      const script = document.createElement('script');
      try { script.textContent = 'globalThis.hacked = 1'; } catch (error) { return error.name; }
      document.body.append(script);
      return String(globalThis.hacked);
    })()`);
    expect(outcome).toBe('TypeError');
    expect(complaints.some((text) => text.includes('TrustedScript'))).toBe(true);
  });

  it('says that there is no answer, and goes on when there is one again', async () => {
    const { page } = await openHostile();
    await page.route('**/fleet.json', (route) => route.fulfill({ status: 503, body: '{}' }));
    await expect.poll(() => page.textContent('#status')).toMatch(/^No answer since [\d:]+ \(503\)\. Trying again …$/);
    await page.unroute('**/fleet.json');
    await live(page);
  });

  it('says when the guard does not let it ask any more', async () => {
    const { page } = await openHostile();
    await page.route('**/fleet.json', (route) => route.fulfill({ status: 403, body: '{}' }));
    await expect.poll(() => page.textContent('#status')).toBe('You may not see this any more. Reload the page.');
  });

  it('asks nothing while it is paused', async () => {
    const { page } = await openHostile();
    await page.getByRole('button', { name: 'Pause' }).click();
    expect(await page.textContent('#status')).toBe('Paused');
    let asked = 0;
    page.on('request', () => (asked += 1));
    await page.waitForTimeout(2_500);
    expect(asked).toBe(0);
    await page.getByRole('button', { name: 'Pause', pressed: true }).click();
    await live(page);
  });

  it('can be used with the keyboard alone', async () => {
    const { page } = await openHostile();
    await page.locator('#nodes tbody tr').waitFor();
    const focused: string[] = [];
    for (let i = 0; i < 12; i++) {
      await page.keyboard.press('Tab');
      focused.push(
        await page.evaluate<string>(
          'document.activeElement.id || document.activeElement.textContent.trim().slice(0, 20)',
        ),
      );
    }
    expect(focused).toEqual(expect.arrayContaining(['Skip to the content', 'pause', 'user-id', 'tail-topic']));
    await page.focus('#user-id');
    await page.keyboard.type('nobody');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.textContent('#user-result')).toBe('0 connections of nobody.');
  });

  it('has a name for every control, and a heading for every region', async () => {
    const { page } = await openHostile();
    const tree = await page.locator('body').ariaSnapshot();
    for (const name of ['Nodes', 'Busiest', 'Closed connections', 'Refused requests', 'Messages to a topic']) {
      expect(tree).toMatch(new RegExp(`heading "${name}`));
    }
    expect(tree).toMatch(/searchbox "User id"/);
    expect(tree).toMatch(/searchbox "Topic"/);
    expect(tree).toMatch(/columnheader "Send queues"/);
    expect(tree).toMatch(/rowheader/);
  });
});

describe('The inspector of sample 02', () => {
  let cluster: SampleCluster;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    cluster = await startCluster();
    const context = await browser.newContext({ viewport: { width: 1360, height: 1000 } });
    const open = async (node: number, name: string) => {
      const tab = await context.newPage();
      await tab.goto(`${cluster.nodes[node]}/?as=${name}`);
      await tab.locator('#chat-send:enabled').waitFor();
      return tab;
    };
    const carol = await open(0, 'carol');
    const alice = await open(1, 'alice');
    await open(0, 'alice');
    for (const text of ['Hello', 'Is it ready yet?']) {
      await alice.fill('#chat-text', text);
      await alice.click('#chat-send');
    }
    await carol.bringToFront();
    const [opened] = await Promise.all([context.waitForEvent('page'), carol.click('#inspector')]);
    page = opened;
    page.setDefaultTimeout(20_000);
    complaints = complaintsOf(page);
    await live(page);
    await fetch(`${cluster.nodes[0]}/ws`, { headers: { upgrade: 'websocket' } }).catch(() => undefined);
  }, INSTALLATION_MS);

  afterAll(() => cluster?.stop());

  it('is refused to those who are no admins', async () => {
    const stranger = await browser.newContext();
    onTestFinished(() => stranger.close());
    for (const path of ['/realtime', '/realtime/inspector.js', '/realtime/fleet.json']) {
      expect((await stranger.request.get(`${cluster.nodes[0]}${path}`)).status()).toBe(401);
    }
  });

  it('shows both nodes with what each holds', async () => {
    await expect.poll(async () => (await rowsOf(page, 'nodes')).map((cells) => cells[1])).toEqual(['Up', 'Up']);
    await expect
      .poll(async () => new Set((await rowsOf(page, 'nodes')).map((cells) => cells[2])))
      .toEqual(new Set(['1', '2']));
    await expect.poll(() => page.textContent('#total-connections dd')).toBe('3');
    await expect.poll(() => page.textContent('#total-users dd')).toBe('2');
    await expect.poll(async () => (await rowsOf(page, 'traffic')).map(([pattern]) => pattern)).toContain('chat:lobby');
  });

  it('finds the connections of a user on both nodes, with their topics', async () => {
    await page.fill('#user-id', 'alice');
    // On a busy machine a node may answer too late, which the page says.
    await expect
      .poll(async () => {
        await page.click('#user-form button');
        await expect.poll(() => page.textContent('#user-result')).toMatch(/ of alice/);
        return page.textContent('#user-result');
      })
      .toBe('2 connections of alice.');
    const found = await rowsOf(page, 'user');
    expect(new Set(found.map((cells) => cells[1])).size).toBe(2);
    expect(found.map((cells) => cells[5])).toEqual([
      expect.stringContaining('chat:lobby'),
      expect.stringContaining('chat:lobby'),
    ]);
  });

  it('shows what is published to a topic while it is watched', async () => {
    await page.fill('#tail-topic', 'chat:lobby');
    await page.click('#tail-form button[type=submit]');
    await expect.poll(() => page.textContent('#tail-result')).toBe('Watching chat:lobby');
    const alice = page.context().pages().at(1)!;
    await expect
      .poll(async () => {
        await alice.fill('#chat-text', 'Do you see me?');
        await alice.click('#chat-send');
        return (await rowsOf(page, 'tail')).map((cells) => cells[1]);
      })
      .toContain('chat.said');
    expect(await page.textContent('#tail')).not.toContain('Do you see me?');
    await page.click('#tail-stop');
  });

  it.each(['light', 'dark'] as const)('can be read in %s', async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    const faintTexts = await readFile(new URL('faint-texts.js', import.meta.url), 'utf8');
    const { looked, faint } = await page.evaluate<{ looked: number; faint: string[] }>(faintTexts);
    expect(looked).toBeGreaterThan(40);
    expect(faint).toEqual([]);
    await picture(page, colorScheme);
  });

  it('fits on a phone', async () => {
    const wide = page.viewportSize()!;
    onTestFinished(() => page.setViewportSize(wide));
    await page.setViewportSize({ width: 360, height: 740 });
    const [content, window] = await page.evaluate<[number, number]>(
      '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
    );
    expect(content).toBeLessThanOrEqual(window);
    await picture(page, 'phone');
  });

  it('shows a node that was killed as gone, without a reload', { timeout: 120_000 }, async () => {
    await page.evaluate('globalThis.isSamePage = true');
    const before = (await rowsOf(page, 'nodes')).map((cells) => cells[0]!);
    const dead = before.find((name) => !name.includes('asked'))!;
    const { pid } = (await (await fetch(`${cluster.nodes[1]}/node`)).json()) as { pid: number };
    process.kill(pid, 'SIGKILL');
    const stateOf = async () => (await rowsOf(page, 'nodes')).find(([name]) => name === dead)?.[1];
    await expect.poll(stateOf, { timeout: LEASE_MS }).toBe('No answer');
    await picture(page, 'silent');
    await expect.poll(stateOf, { timeout: LEASE_MS }).toMatch(/^Gone since/);
    await picture(page, 'gone');
    expect(await page.evaluate('globalThis.isSamePage')).toBe(true);
    await expect.poll(async () => (await rowsOf(page, 'nodes')).filter(([, state]) => state === 'Up').length).toBe(2);
    expect(complaints).toEqual([]);
  });
});

describe('The inspector of sample 01', () => {
  it('is opened from the page of an admin, and has no link on that of a customer', async () => {
    const server = await startSample();
    onTestFinished(() => server.kill());
    const context = await browser.newContext();
    onTestFinished(() => context.close());
    const carol = await Tab.open(context, server.url, 'carol');
    const alice = await Tab.open(context, server.url, 'alice');
    expect(await alice.find('#inspector').isVisible()).toBe(false);
    await carol.page.bringToFront();
    const [page] = await Promise.all([context.waitForEvent('page'), carol.find('#inspector').click()]);
    await live(page);
    await expect.poll(() => page.textContent('#total-users dd')).toBe('2');
  });
});
