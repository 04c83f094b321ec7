import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readFile } from 'node:fs/promises';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { sections } from '../../docs/.vitepress/tree.js';
import { launchChromium } from '../helpers/chromium.js';
import { buildSite, DIST, filesOfSite, serveSite } from './built-site.js';
import { brokenLinks } from './site-links.js';

const INSTALLATION_MS = 600_000;
/** Some sixty pages, each loaded anew. */
const ALL_PAGES_MS = 300_000;

const PICTURES = process.env['SITE_PICTURES'];

const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

/** Pages by their path, such as `guides/sending`; the index of the API stands for all of its pages, which are made alike. */
let pages: readonly string[];

let files: Set<string>;

beforeAll(() => {
  buildSite();
  files = filesOfSite();
  pages = ['index', ...sections().flatMap((section) => section.pages.map(({ path }) => path))];
}, INSTALLATION_MS);

const text = (path: string) => readFileSync(join(DIST, path), 'utf8');

describe('the built site', () => {
  it('has each page as HTML and as Markdown', () => {
    const expected = pages.flatMap((page) => [`${page}.html`, `${page}.md`]);
    expect(expected.filter((path) => !files.has(path))).toEqual([]);
  });

  it('links only to pages, files and headings that it has', () => {
    const html = [...files].filter((path) => path.endsWith('.html') && path !== '404.html');
    expect(html.length).toBeGreaterThan(30);
    expect(brokenLinks(new Map(html.map((path) => [path, text(path)])), files)).toEqual([]);
  });

  it('twin: a link to a page, a picture or a heading that it does not have is found', () => {
    const page =
      '<h2 id="a">A</h2> <a href="#a">1</a> <a href="/b/c.html#d">2</a> <a href="../e.html">3</a> <img src="/f.png">';
    const broken = brokenLinks(
      new Map([
        ['b/page.html', page],
        ['b/c.html', '<h2 id="other">'],
      ]),
      new Set(['b/page.html', 'b/c.html']),
    );
    expect(broken).toEqual(['b/page.html → b/c.html#d', 'b/page.html → e.html', 'b/page.html → f.png']);
  });

  it('lists all pages in llms.txt, by the addresses of their Markdown, with what they are about', () => {
    const listed = Array.from(text('llms.txt').matchAll(/^- \[[^\]]+\]\(\/([^)]+)\)(: .+)?$/gm));
    expect(listed.map(([, path]) => path)).toEqual(pages.slice(1).map((page) => `${page}.md`));
    expect(listed.filter(([, , summary]) => !summary).map(([, path]) => path)).toEqual([]);
  });

  it('leaves no link in the Markdown that leads out of the site', () => {
    const broken = [...files]
      .filter((path) => path.endsWith('.md') && path !== 'index.md')
      .flatMap((page) =>
        Array.from(text(page).matchAll(/\]\(\/([^()\s#]+)/g), ([, path]) => path!)
          .filter((path) => !files.has(path))
          .map((path) => `${page} → ${path}`),
      );
    expect(broken).toEqual([]);
  });
});

describe('the site in a browser', () => {
  let browser: Browser;
  let site: Awaited<ReturnType<typeof serveSite>>;
  let context: BrowserContext;
  let page: Page;
  let faintTexts: string;
  const complaints: string[] = [];
  const foreign: string[] = [];

  beforeAll(async () => {
    site = await serveSite();
    browser = await launchChromium();
    faintTexts = await readFile(new URL('faint-texts.js', import.meta.url), 'utf8');
    context = await browser.newContext({ viewport: DESKTOP, reducedMotion: 'reduce', colorScheme: 'light' });
    context.on('request', (request) => {
      if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(site.url)) foreign.push(request.url());
    });
    page = await context.newPage();
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(`${page.url()}: ${message.text()}`);
    });
    page.on('pageerror', (error) => complaints.push(`${page.url()}: ${error}`));
  }, INSTALLATION_MS);

  afterAll(async () => {
    await browser?.close();
    site?.close();
  });

  const open = (path: string) => page.goto(`${site.url}/${path}.html`);

  const picture = async (name: string) => {
    if (PICTURES) await page.screenshot({ path: join(PICTURES, `${name.replaceAll('/', '-')}.png`) });
  };

  /** By how many pixels the page is wider than the window. */
  const overflow = () =>
    page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');

  it(
    'fits on a desktop and on a phone, on every page',
    async () => {
      const wide: string[] = [];
      for (const path of pages) {
        await open(path);
        for (const viewport of [DESKTOP, PHONE]) {
          await page.setViewportSize(viewport);
          if ((await overflow()) > 0) wide.push(`${path} at ${viewport.width}`);
          await picture(`${path}-${viewport.width}`);
        }
      }
      expect(wide).toEqual([]);
      expect(complaints).toEqual([]);
    },
    ALL_PAGES_MS,
  );

  it.each(['light', 'dark'] as const)('can be read in %s', async (colorScheme) => {
    await page.setViewportSize(DESKTOP);
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    onTestFinished(() => page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' }));
    for (const path of ['index', 'start/concepts', 'reference/limits']) {
      await open(path);
      await page.locator('#VPContent').waitFor();
      const isDark = await page.evaluate<boolean>("document.documentElement.classList.contains('dark')");
      const { looked, faint } = await page.evaluate<{ looked: number; faint: string[] }>(faintTexts);
      await picture(`${path}-${colorScheme}`);
      expect(isDark).toBe(colorScheme === 'dark');
      expect(looked).toBeGreaterThan(20);
      expect(faint, path).toEqual([]);
    }
  });

  it('shows all of its images', async () => {
    for (const path of ['start/concepts', 'project/sample-notifications', 'project/benchmarks']) {
      await open(path);
      await page.locator('main img').first().waitFor();
      const images = await page.evaluate<boolean[]>(
        "Promise.all(Array.from(document.querySelectorAll('main img'), (image) => image.decode().then(() => true, () => false)))",
      );
      expect(images, path).not.toContain(false);
    }
  });

  it('finds a page by its words, without the web', async () => {
    await open('index');
    await page.locator('#local-search button').click();
    await page.locator('#localsearch-input').fill('grace period');
    const result = page.locator('#localsearch-list a[href*="presence"]').first();
    await result.click();
    await page.waitForURL(/presence/);
    expect(foreign).toEqual([]);
    expect(complaints).toEqual([]);
  });
});
