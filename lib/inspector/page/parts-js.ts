/** The parts of the page: what is written where. */
export const PARTS_JS = String.raw`// The parts of the page: what is written where.
import { CLOSE_MEANINGS } from './close-meanings.js';
import { attribute, create, draw, fill, fillLatest, write } from './table.js';
import { bytes, count, duration, milliseconds, moment, rate, short, time } from './text.js';

const find = (id) => document.getElementById(id);
const STATES = { up: 'Up', degraded: 'Degraded', down: 'Down', detached: 'Detached', silent: 'No answer', gone: 'Gone' };
const FORGET_MS = 10 * 60_000;
const HISTORY = 60;
const histories = new Map();

export function showTotals({ counts, rates, nodes }) {
  tile('nodes', count(nodes.length));
  tile('connections', count(counts?.connections), counts?.connections);
  tile('users', count(counts?.users));
  tile('topics', count(counts?.topics));
  tile('subscriptions', count(counts?.subscriptions));
  tile('sent', rate(rates?.sent), rates?.sent);
  tile('received', rate(rates?.received), rates?.received);
}

function tile(name, text, value) {
  const element = find('total-' + name);
  write(element.querySelector('dd'), text);
  const svg = element.querySelector('svg');
  if (!svg || value === undefined) return;
  const values = [...(histories.get(name) ?? []), value].slice(-HISTORY);
  histories.set(name, values);
  draw(svg, values);
}

const seen = new Map();

/** Shows the nodes, those included that were there a while ago. Returns news to announce. */
export function showNodes({ nodes, at, nodeId }) {
  const news = [];
  const isFirst = seen.size === 0;
  for (const node of nodes) {
    const before = seen.get(node.id);
    if (!before && !isFirst) news.push('Node ' + short(node.id) + ' has joined.');
    if (before && before.node.state !== node.state) news.push('Node ' + short(node.id) + ': ' + STATES[node.state] + '.');
    seen.set(node.id, { node });
  }
  const present = new Set(nodes.map(({ id }) => id));
  for (const [id, entry] of seen) {
    if (present.has(id)) continue;
    if (entry.goneAt === undefined) {
      const { startedAt } = entry.node;
      seen.set(id, { node: { id, startedAt, state: 'gone', reasons: ['since ' + time(at)] }, goneAt: at });
      news.push('Node ' + short(id) + ' is gone.');
    } else if (at - entry.goneAt > FORGET_MS) seen.delete(id);
  }
  const rows = [...seen.values()].map(({ node }) => node);
  rows.sort((a, b) => (a.state === 'gone') - (b.state === 'gone') || a.startedAt - b.startedAt);
  fill(find('nodes'), rows, ({ id }) => id, (node) => [
    { title: node.id, fill: (td) => writeNode(td, node.id, node.id === nodeId) },
    { state: node.state, fill: (td) => writeState(td, node) },
    count(node.counts?.connections),
    count(node.counts?.users),
    count(node.counts?.topics),
    count(node.counts?.subscriptions),
    rate(node.rates?.sent),
    rate(node.rates?.received),
    bytes(node.queueBytes),
    milliseconds(node.loopDelayMs),
    { text: node.state === 'gone' ? '–' : duration(at - node.startedAt), title: 'since ' + moment(node.startedAt) },
  ]);
  return news;
}

function writeNode(td, id, isAsked) {
  if (td.childElementCount === 0) td.append(create('code', '', short(id)));
  if (isAsked && td.childElementCount === 1) td.append(' ', create('small', '', 'asked'));
  else if (!isAsked && td.childElementCount === 2) td.lastElementChild.remove();
}

function writeState(td, { state, reasons }) {
  if (td.childElementCount === 0) td.append(create('span', 'state'), ' ', create('small'));
  write(td.firstElementChild, STATES[state]);
  write(td.lastElementChild, reasons.join(' '));
}

const ADDRESSES = {
  user: 'to a user',
  role: 'to a role',
  connection: 'to a connection',
  all: 'to everybody',
  several: 'to several addresses',
};

export function showTraffic({ traffic }) {
  fill(find('traffic'), traffic, ({ address, pattern }) => address + ' ' + pattern, (each) => [
    { text: each.address === 'topic' ? each.pattern : (ADDRESSES[each.address] ?? each.address), state: each.address },
    rate(each.rates?.sent),
    rate(each.rates?.received),
    count(each.sent),
    count(each.received),
  ]);
  find('traffic-none').hidden = traffic.length > 0;
}

export function showCloses({ closes }) {
  const line = ({ at, userId, reason, byServer, code, nodeId, address }, kind) =>
    [
      time(at),
      userId ?? 'not authenticated',
      (kind === '_other' ? code + ' ' : '') + (reason || (byServer ? '' : 'no reason given')),
      'by ' + (byServer ? 'server' : 'client'),
      address,
      'node ' + short(nodeId),
    ].filter(Boolean).join(' · ');
  fill(find('closes'), closes, ({ kind }) => kind, ({ kind, count: total, last }) => [
    kind === '_other' ? 'other' : kind,
    CLOSE_MEANINGS[kind] ?? '',
    count(total),
    { fill: (td) => fillLatest(td, last.map((each) => line(each, kind))) },
  ]);
  find('closes-none').hidden = closes.length > 0;
}

export function showRefusals({ refusals }) {
  const line = ({ at, reason, address, nodeId }) =>
    [time(at), reason, address, 'node ' + short(nodeId)].filter(Boolean).join(' · ');
  fill(find('refusals'), refusals, ({ kind }) => kind, ({ kind, count: total, last }) => [
    kind === '_other' ? 'other' : kind,
    count(total),
    { fill: (td) => fillLatest(td, last.map(line)) },
  ]);
  find('refusals-none').hidden = refusals.length > 0;
}

export function showUser(id, { isComplete, count: total, connections }) {
  const what = total === 1 ? '1 connection' : count(total) + ' connections';
  const shown = total > connections.length ? ', the oldest ' + connections.length + ' are shown' : '';
  const missing = isComplete ? '' : ' Not every node has answered: there may be more.';
  write(find('user-result'), what + ' of ' + id + shown + '.' + missing);
  attribute(find('user-result'), 'data-outcome', isComplete ? 'found' : 'partial');
  fill(find('user'), connections, (each) => each.id, (each) => [
    each.id,
    { text: short(each.nodeId), title: each.nodeId },
    { text: time(each.since), title: moment(each.since) },
    each.expires === undefined ? 'never' : { text: time(each.expires), title: moment(each.expires) },
    each.roles.join(', ') || '–',
    { fill: (td) => writeTopics(td, each) },
  ]);
  find('user-table').hidden = connections.length === 0;
}

function writeTopics(td, { topics, topicCount }) {
  const list = td.firstElementChild ?? create('ul', 'topics');
  if (!td.firstElementChild) td.append(list);
  list.replaceChildren(...topics.map((topic) => create('li', '', topic)));
  if (topicCount > topics.length) list.append(create('li', 'more', 'and ' + count(topicCount - topics.length) + ' more'));
  if (topicCount === 0) list.append(create('li', 'more', 'none'));
}

const MAX_TAIL = 200;
let tail = new Map();

export function clearTail() {
  tail = new Map();
  showTail([]);
}

export function showTail(entries) {
  for (const entry of entries) tail.set(entry.nodeId + ' ' + entry.n + ' ' + entry.at, entry);
  while (tail.size > MAX_TAIL) tail.delete(tail.keys().next().value);
  const newest = [...tail.entries()].reverse();
  fill(find('tail'), newest, ([key]) => key, ([, { at, type, bytes: size, nodeId, text }]) => [
    time(at),
    type,
    bytes(size),
    { text: short(nodeId), title: nodeId },
    ...(text === undefined ? [] : [text]),
  ]);
  find('tail-none').hidden = tail.size > 0;
}
`;
