import type { Browser } from 'playwright-core';
import { PICTURE_WIDTH } from './kept-picture.js';

/** A picture in PNG of one tab, with what its title is. */
export interface TabPicture {
  readonly title: string;
  readonly png: Buffer;
}

/** Width of one tab in it. */
export const TAB_WIDTH = 588;

const COLOURS = {
  light: { bar: '#dfe3ea', text: '#1b1f27', line: '#b9c0cd' },
  dark: { bar: '#2a303c', text: '#e8eaf0', line: '#4a5263' },
};

/** Puts pictures of two tabs beside each other, each below a title bar, on a transparent ground. */
export async function sideBySide(
  browser: Browser,
  scheme: 'light' | 'dark',
  tabs: readonly TabPicture[],
): Promise<Buffer> {
  const { bar, text, line } = COLOURS[scheme];
  const figures = tabs.map(
    ({ title, png }) =>
      `<figure><figcaption>${title}</figcaption><img src="data:image/png;base64,${png.toString('base64')}"></figure>`,
  );
  const page = await browser.newPage({ viewport: { width: PICTURE_WIDTH, height: 100 } });
  await page.setContent(`<!doctype html><style>
    body { margin: 0; display: flex; justify-content: space-between; font: 14px system-ui, sans-serif; color: ${text} }
    figure { margin: 0; border: 1px solid ${line}; border-radius: 10px; overflow: hidden; background: ${bar} }
    figcaption { padding: 8px 14px }
    img { display: block; width: ${TAB_WIDTH}px }
  </style>${figures.join('')}`);
  const picture = await page.screenshot({ fullPage: true, omitBackground: true });
  await page.close();
  return picture;
}
