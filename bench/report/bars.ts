import type { Run } from '../results.js';
import { figure, rowsOf, type Measure } from './figures.js';
import { shortNumber } from './markdown-table.js';
import { picture, rounded, shape, text, type Shape } from './svg.js';

const COLUMNS = 2;
const PANEL_WIDTH = 470;
const LABEL_WIDTH = 120;
const VALUE_WIDTH = 50;
const MARGIN = 16;
const BAR_HEIGHT = 15;
const HEAD_HEIGHT = 46;

/** One panel for each measure that was taken, one bar for each server; less is better. */
export function bars(title: string, measures: readonly Measure[], runs: readonly Run[]): string {
  const rows = rowsOf(runs);
  const shown = measures.filter((measure) => rows.some((row) => figure(runs, row, measure)));
  const panelHeight = HEAD_HEIGHT + rows.length * (BAR_HEIGHT + 4) + MARGIN;
  const height = MARGIN + 20 + Math.ceil(shown.length / COLUMNS) * panelHeight;
  const panels = shown.map((measure, at) => {
    const place = `translate(${(at % COLUMNS) * PANEL_WIDTH} ${MARGIN + 20 + Math.floor(at / COLUMNS) * panelHeight})`;
    return shape('g', { transform: place }, panel(measure, rows, runs).join(''));
  });
  return picture(COLUMNS * PANEL_WIDTH, height, title, [text(MARGIN, MARGIN + 10, title, 'title'), ...panels]);
}

function panel(measure: Measure, rows: readonly string[], runs: readonly Run[]): Shape[] {
  const figures = rows.map((row) => figure(runs, row, measure)?.median);
  const most = Math.max(...figures.map((value) => value ?? 0));
  const room = PANEL_WIDTH - 2 * MARGIN - LABEL_WIDTH - VALUE_WIDTH;
  return [
    text(MARGIN, 18, measure.title, 'title'),
    text(MARGIN, 34, measure.unit, 'value'),
    ...figures.flatMap((value, at) => {
      const y = HEAD_HEIGHT + at * (BAR_HEIGHT + 4);
      const width = value === undefined || most <= 0 ? 0 : rounded((Math.max(0, value) / most) * room);
      const x = MARGIN + LABEL_WIDTH;
      return [
        text(x - 8, y + 12, rows[at]!, 'label', 'end'),
        shape('rect', { class: `bar s${at}`, x, y, width, height: BAR_HEIGHT, rx: 2 }),
        text(x + width + 6, y + 12, shortNumber(value), 'value'),
      ];
    }),
  ];
}
