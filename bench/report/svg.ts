/** Something drawn. */
export type Shape = string;

type Attributes = Readonly<Record<string, string | number>>;

export function shape(name: string, attributes: Attributes, content = ''): Shape {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(String(value))}"`);
  return `<${name}${written.join('')}>${content}</${name}>`;
}

/** @param kind of the text: `title`, `label` or `value` */
export function text(x: number, y: number, content: string, kind: string, anchor = 'start'): Shape {
  return shape('text', { x: rounded(x), y: rounded(y), class: kind, 'text-anchor': anchor }, escaped(content));
}

/** Positions are drawn to a tenth of a pixel. */
export function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

/** The first series is the one that is looked at. They can be told apart by those who see few colours. */
const COLOURS = {
  light: ['#c2185b', '#1f6fb2', '#3d8b3d', '#b07000', '#6f42c1', '#5b6570'],
  dark: ['#ff6f9f', '#6fb5f0', '#7fce7f', '#f0b840', '#b794f6', '#a8b1ba'],
};

function palette(colours: readonly string[], ink: string, faint: string, paper: string): string {
  const series = colours.map((colour, at) => `.s${at}{--c:${colour}}`).join('');
  return `svg{--ink:${ink};--faint:${faint};--paper:${paper}}${series}`;
}

/** A picture with a title, on a ground of its own in two colour schemes, so that it can be read wherever it is put. */
export function picture(width: number, height: number, title: string, shapes: readonly Shape[]): string {
  const style = [
    palette(COLOURS.light, '#1f2328', '#d0d7de', '#ffffff'),
    `@media (prefers-color-scheme: dark){${palette(COLOURS.dark, '#e6edf3', '#3d444d', '#0d1117')}}`,
    'text{font:12px system-ui,sans-serif;fill:var(--ink)}.title{font-size:13px;font-weight:600}.value{font-size:11px}',
    '.paper{fill:var(--paper)}.grid{stroke:var(--faint);fill:none}.bar{fill:var(--c)}',
    '.line{stroke:var(--c);stroke-width:2;fill:none;stroke-linejoin:round}.dot{fill:var(--c)}',
  ].join('');
  const content = [
    shape('title', {}, escaped(title)),
    shape('style', {}, style),
    shape('rect', { class: 'paper', width, height, rx: 6 }),
    ...shapes,
  ];
  const attributes = { xmlns: 'http://www.w3.org/2000/svg', viewBox: `0 0 ${width} ${height}`, width, height };
  return `${shape('svg', { ...attributes, role: 'img' }, `\n${content.join('\n')}\n`)}\n`;
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
