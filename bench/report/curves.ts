import type { Run } from '../results.js';
import { figure, rowsOf } from './figures.js';
import { shortNumber } from './markdown-table.js';
import type { GrowthMeasure } from './measures.js';
import { picture, rounded, shape, text, type Shape } from './svg.js';

const COLUMNS = 2;
const PANEL = { width: 470, height: 250, left: 64, right: 24, top: 46, bottom: 46 };
const LEGEND_HEIGHT = 34;
const MARGIN = 16;
const MOST_TICKS = 6;

/** A logarithmic axis; `at` says where on it a value stands, between 0 and 1. */
interface Axis {
  readonly ticks: readonly number[];
  readonly at: (value: number) => number;
}

interface Point {
  readonly size: number;
  readonly value: number;
}

/** One panel for each measure, one line for each server, both axes logarithmic. */
export function curves(title: string, measures: readonly GrowthMeasure[], runs: readonly Run[]): string {
  const rows = rowsOf(runs);
  const top = MARGIN + 20 + LEGEND_HEIGHT;
  const panels = measures.map((measure, at) => {
    const place = `translate(${(at % COLUMNS) * PANEL.width} ${top + Math.floor(at / COLUMNS) * PANEL.height})`;
    return shape('g', { transform: place }, panel(measure, rows, runs).join(''));
  });
  const height = top + Math.ceil(measures.length / COLUMNS) * PANEL.height;
  const heading = [text(MARGIN, MARGIN + 10, title, 'title'), ...legend(rows)];
  return picture(COLUMNS * PANEL.width, height, title, [...heading, ...panels]);
}

/** About as wide as a letter of a label is. */
const LETTER_WIDTH = 6.6;

function legend(rows: readonly string[]): Shape[] {
  let next = MARGIN;
  return rows.flatMap((row, at) => {
    const x = next;
    next += 48 + row.length * LETTER_WIDTH;
    return [
      shape('rect', { class: `bar s${at}`, x: rounded(x), y: 40, width: 18, height: 4 }),
      text(x + 24, 46, row, 'label'),
    ];
  });
}

function panel(measure: GrowthMeasure, rows: readonly string[], all: readonly Run[]): Shape[] {
  const runs = all.filter(({ workload }) => workload.grows === measure.grows);
  const series = rows.map((row) => pointsOf(measure, row, runs));
  const points = series.flat();
  if (points.length === 0) return [];
  const horizontal = axis(points.map(({ size }) => size));
  const vertical = axis(points.map(({ value }) => value));
  const { width, height, left, right, top, bottom } = PANEL;
  const x = (size: number) => rounded(left + horizontal.at(size) * (width - left - right));
  const y = (value: number) => rounded(height - bottom - vertical.at(value) * (height - top - bottom));
  return [
    text(MARGIN, 18, measure.title, 'title'),
    text(MARGIN, 34, measure.unit, 'value'),
    ...horizontal.ticks.flatMap((tick) => [
      shape('path', { class: 'grid', d: `M${x(tick)} ${top}V${height - bottom}` }),
      text(x(tick), height - bottom + 16, tick.toLocaleString('en'), 'value', 'middle'),
    ]),
    ...vertical.ticks.flatMap((tick) => [
      shape('path', { class: 'grid', d: `M${left} ${y(tick)}H${width - right}` }),
      text(left - 6, y(tick) + 4, tick < 1 ? shortNumber(tick) : tick.toLocaleString('en'), 'value', 'end'),
    ]),
    text((left + width - right) / 2, height - bottom + 34, measure.grows, 'label', 'middle'),
    // The one that is looked at lies above the others.
    ...series.map((line, at) => curve(line, at, x, y)).reverse(),
  ];
}

function pointsOf({ title, unit, of }: GrowthMeasure, row: string, runs: readonly Run[]): Point[] {
  const workloads = new Map(runs.map(({ workload }) => [workload.name, workload]));
  return Array.from(workloads.values(), (workload) => ({
    size: workload[workload.grows!]!,
    value: figure(runs, row, { title, unit, of, workload: workload.name })?.median ?? 0,
  }))
    .filter(({ value }) => value > 0)
    .sort((a, b) => a.size - b.size);
}

function curve(points: readonly Point[], at: number, x: (size: number) => number, y: (value: number) => number): Shape {
  const path = points.map(({ size, value }, nth) => `${nth === 0 ? 'M' : 'L'}${x(size)} ${y(value)}`).join('');
  const dots = points.map(({ size, value }) => shape('circle', { class: 'dot', cx: x(size), cy: y(value), r: 3 }));
  return shape('g', { class: `s${at}` }, [shape('path', { class: 'line', d: path }), ...dots].join(''));
}

/** At least one power of ten long, so that noise does not look like a trend, between steps of 1, 2 and 5. Marked are the powers of ten, and the steps between where there is room for them. */
function axis(values: readonly number[]): Axis {
  const least = stepBelow(Math.min(...values));
  const greatest = Math.max(stepAbove(Math.max(...values)), 10 * least);
  const steps = [];
  for (let step = least; step <= greatest; step = stepAbove(step * 1.01)) steps.push(step);
  const powers = steps.filter((step) => Number.isInteger(Math.log10(step)));
  const at = (value: number) => Math.log(value / least) / Math.log(greatest / least);
  return { ticks: steps.length <= MOST_TICKS ? steps : powers, at };
}

function stepBelow(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * (value >= 5 * power ? 5 : value >= 2 * power ? 2 : 1);
}

function stepAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * (value <= power ? 1 : value <= 2 * power ? 2 : value <= 5 * power ? 5 : 10);
}
