/** The page's script: asks every two seconds while somebody looks. */
export const INSPECTOR_JS = String.raw`// Asks every two seconds while somebody looks.
import { clearTail, showCloses, showNodes, showRefusals, showTail, showTotals, showTraffic, showUser } from './parts.js';
import { attribute, write } from './table.js';
import { short, time } from './text.js';

const POLL_MS = 2_000;
const TIMEOUT_MS = 10_000;
const find = (id) => document.getElementById(id);
const status = find('status');
let watched;
let isPaused = false;
let timer;
let isAsking = false;
let lastAnswer;

async function ask(name, parameters = {}) {
  const url = new URL(name, import.meta.url);
  for (const [key, value] of Object.entries(parameters)) url.searchParams.set(key, value);
  const response = await fetch(url, { cache: 'no-store', redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (response.ok) return response.json();
  const body = await response.json().catch(() => ({}));
  throw Object.assign(new Error([body.message].flat().filter(Boolean).join('; ')), { status: response.status });
}

function show(state, text) {
  attribute(status, 'data-state', state);
  write(status, text);
}

function showFailure(error) {
  if ([401, 403].includes(error.status) || error.status === 0) return show('refused', 'You may not see this any more. Reload the page.');
  const since = lastAnswer === undefined ? '' : ' since ' + time(lastAnswer);
  const why = error.status === undefined ? '' : ' (' + error.status + ')';
  show('waiting', 'No answer' + since + why + '. Trying again …');
}

async function poll() {
  clearTimeout(timer);
  if (isPaused || isAsking || document.hidden) return;
  isAsking = true;
  const topic = watched;
  try {
    const fleet = await ask('fleet.json', topic === undefined ? {} : { tail: topic });
    lastAnswer = fleet.at;
    showTotals(fleet);
    const news = showNodes(fleet);
    if (news.length > 0) write(find('news'), news.join(' '));
    showTraffic(fleet);
    showCloses(fleet);
    showRefusals(fleet);
    if (topic !== undefined && topic === watched) showTail(fleet.tail ?? []);
    write(find('as-of'), time(fleet.at));
    attribute(find('asked'), 'title', fleet.nodeId);
    write(find('asked'), short(fleet.nodeId));
    if (!isPaused) show('live', 'Live');
  } catch (error) {
    if (topic !== undefined && error.status === 400) watch(undefined, error.message);
    else showFailure(error);
  } finally {
    isAsking = false;
    timer = setTimeout(poll, POLL_MS);
  }
}

function watch(topic, result) {
  watched = topic;
  write(find('tail-result'), result);
  find('tail-stop').hidden = topic === undefined;
}

find('pause').addEventListener('click', ({ currentTarget }) => {
  isPaused = !isPaused;
  attribute(currentTarget, 'aria-pressed', String(isPaused));
  if (isPaused) show('paused', 'Paused');
  else void poll();
});

document.addEventListener('visibilitychange', () => void poll());

find('user-form').addEventListener('submit', async (event) => {
  event.preventDefault();
  const id = find('user-id').value;
  if (id === '') return find('user-id').focus();
  write(find('user-result'), 'Asking …');
  try {
    showUser(id, await ask('user.json', { id }));
  } catch (error) {
    write(find('user-result'), error.message || 'The server did not answer.');
    attribute(find('user-result'), 'data-outcome', 'failed');
    find('user-table').hidden = true;
  }
});

if (document.body.dataset.tail !== 'off') {
  find('tail-section').hidden = false;
  find('tail-payload').hidden = document.body.dataset.tail !== 'payloads';
  find('tail-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const topic = find('tail-topic').value;
    if (topic === '') return find('tail-topic').focus();
    clearTail();
    watch(topic, 'Watching ' + topic);
    void poll();
  });
  find('tail-stop').addEventListener('click', () => {
    watch(undefined, 'Stopped');
    find('tail-topic').focus();
  });
}

void poll();
`;
