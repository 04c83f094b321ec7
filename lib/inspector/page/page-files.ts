import { CLOSE_MEANINGS_JS } from './close-meanings.js';
import { INSPECTOR_CSS } from './inspector-css.js';
import { INSPECTOR_HTML } from './inspector-html.js';
import { INSPECTOR_JS } from './inspector-js.js';
import { PARTS_JS } from './parts-js.js';
import { TABLE_JS } from './table-js.js';
import { TEXT_JS } from './text-js.js';
import type { TailMode } from '../inspector-options.js';

/** A file that the page loads. */
export interface PageFile {
  readonly type: string;
  readonly text: string;
}

const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" fill="#2f5bd0"/>' +
  '<path d="M2 9h3l2-5 3 8 1.5-3H14" fill="none" stroke="#fff" stroke-width="1.6" stroke-linejoin="round"/></svg>';

const script = (text: string): PageFile => ({ type: 'text/javascript', text });

/** The files of the page, by name. They are part of the code, so that bundlers take them along. */
export const PAGE_FILES: ReadonlyMap<string, PageFile> = new Map([
  ['inspector.css', { type: 'text/css', text: INSPECTOR_CSS }],
  ['inspector.js', script(INSPECTOR_JS)],
  ['parts.js', script(PARTS_JS)],
  ['table.js', script(TABLE_JS)],
  ['text.js', script(TEXT_JS)],
  ['close-meanings.js', script(CLOSE_MEANINGS_JS)],
  ['icon.svg', { type: 'image/svg+xml', text: ICON }],
]);

/**
 * The page.
 * @param folder where its files are, relative to the page: empty, or a segment with a slash
 */
export function pageHtml(folder: string, tail: TailMode): string {
  return INSPECTOR_HTML.replaceAll('{folder}', folder).replace('{tail}', tail);
}
