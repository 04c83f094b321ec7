/** Tables that keep their rows: what has focus or is open stays so when numbers change. */
export const TABLE_JS = String.raw`// Tables that keep their rows: what has focus or is open stays so when numbers change.
// Everything is written as text, never as markup: ids, topics and reasons come from clients.

/** Writes a text where it has changed. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function attribute(element, name, value) {
  if (value === undefined) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

export function create(name, className, text) {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

/**
 * Shows one row for each item. A cell is a text, or { text, title, className, state, fill }: fill(td) writes the cell itself.
 */
export function fill(table, items, keyOf, cellsOf) {
  const body = table.tBodies[0];
  const old = new Map([...body.rows].map((row) => [row.dataset.key, row]));
  items.forEach((item, at) => {
    const key = keyOf(item);
    const row = old.get(key) ?? create('tr');
    row.dataset.key = key;
    old.delete(key);
    cellsOf(item).forEach((cell, column) => writeCell(row, column, cell, table.tHead.rows[0].cells[column]));
    if (body.rows[at] !== row) body.insertBefore(row, body.rows[at] ?? null);
  });
  for (const row of old.values()) row.remove();
}

function writeCell(row, column, cell, head) {
  let td = row.cells[column];
  if (!td) {
    td = create(column === 0 ? 'th' : 'td', head.className);
    if (column === 0) td.scope = 'row';
    row.append(td);
  }
  const { text, title, state, fill: writes } = typeof cell === 'object' ? cell : { text: cell };
  attribute(td, 'title', title);
  attribute(td, 'data-state', state);
  if (writes) writes(td);
  else write(td, text);
}

/** Shows the latest entry, and those before it on request. */
export function fillLatest(td, texts) {
  let details = td.firstElementChild;
  if (!details) {
    details = create('details');
    details.append(create('summary'), create('ol'));
    td.append(details);
  }
  const [summary, list] = details.children;
  write(summary, texts[0] ?? '');
  attribute(details, 'data-single', texts.length < 2 ? '' : undefined);
  const rest = texts.slice(1);
  while (list.children.length > rest.length) list.lastElementChild.remove();
  while (list.children.length < rest.length) list.append(create('li'));
  rest.forEach((text, at) => write(list.children[at], text));
}

/** Draws the last values as a line. */
export function draw(svg, values) {
  const top = Math.max(1, ...values);
  const points = values.map((value, at) => (60 - values.length + at) + ',' + (19 - (18 * value) / top).toFixed(1));
  attribute(svg.firstElementChild, 'points', points.join(' '));
}
`;
