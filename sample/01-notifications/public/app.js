import { createChat } from './chat.js';
import { createCommands } from './commands.js';
import { connect } from './connect.js';
import { createFeed } from './feed.js';
import { createWire } from './wire.js';
import { onSubmit } from './forms.js';
import { describeJob, drawJob, loseJobs } from './jobs.js';
import { describeMetrics, drawMetrics } from './metrics.js';
import { server } from './server.js';
import { api, currentSession, endSession, login } from './session.js';
import { showState } from './status.js';

const $ = (selector) => document.querySelector(selector);

// A frame does not say to whom it was addressed, but in this application each type has one kind of address.
const MESSAGES = {
  'order.created': { address: 'user', text: ({ item, quantity }) => `Order received: ${quantity} × ${item}` },
  metrics: { address: 'role', text: describeMetrics, draw: drawMetrics, key: () => 'metrics' },
  'job.progress': { address: 'connection', text: describeJob, draw: drawJob, key: ({ jobId }) => jobId },
  announcement: { address: 'all', text: ({ from, text }) => `${from}: ${text}` },
  said: { address: 'topic', text: ({ from, text }) => `${from}: ${text}`, draw: (frame) => chat.said(frame) },
  members: {
    address: 'topic',
    text: ({ members }) => `In the room: ${members.map(({ userId }) => userId).join(', ')}`,
    draw: (frame) => chat.members(frame),
    key: () => 'members',
  },
};
const UNKNOWN = { address: 'unknown', text: JSON.stringify };

const RECIPIENTS = {
  user: () => `user ${me.name}`,
  role: () => `role ${me.role}`,
  connection: () => 'this connection',
  all: () => 'everybody',
  topic: ({ topic }) => `topic ${topic}`,
  unknown: () => 'unknown',
};

let me;
let chat;
let connection;
let connectionId;

const commands = createCommands((command) => connection.send(command));
const feed = createFeed($('#feed'), $('#feed-entry'));

function showLogin(notice) {
  $('#login').hidden = false;
  $('#login-notice').textContent = notice;
}

async function loginAs(name) {
  try {
    enter(await login(name));
  } catch (error) {
    showLogin(error.message);
  }
}

function enter({ user }) {
  me = user;
  document.title = `${me.name} · Realtime notifications`;
  Object.assign(document.body.dataset, { user: me.name, role: me.role });
  $('#me').textContent = $('#order-user').textContent = me.name;
  $('#role').textContent = me.role;
  $('#login').hidden = true;
  $('#app').hidden = false;
  // The link to the inspector opens a page, which a browser asks for with a cookie.
  if (me.role === 'admin') api('POST', '/inspector-session').catch(console.warn);
  chat = createChat(commands.request, me.name);
  connection = connect({ url, onFrame, onState, onWire: createWire($('#wire'), $('#frames')) });
}

/** Back to the buttons, on a fresh page with nothing of the last user left in it. */
function leave(notice = '') {
  connection.close();
  endSession();
  sessionStorage.setItem('notice', notice);
  location.replace(location.pathname);
}

/** A browser does not tell why a WebSocket was refused, so the token is tried over HTTP first, and renewed if need be. */
async function url() {
  await api('GET', '/me').catch((error) => {
    if (error.status === 401) leave(error.message);
    throw error;
  });
  const address = new URL('/ws', server.origin);
  address.protocol = address.protocol.replace('http', 'ws');
  address.searchParams.set('token', currentSession().token);
  return address;
}

function onState(state) {
  if (state.name === 'stopped') return leave(`${state.reason} (${state.code})`);
  showState(state);
  $('#job-start').disabled = true;
  if (state.name === 'waiting') {
    server.lost();
    commands.abort(state.reason);
    chat.leave();
    loseJobs();
  }
}

function onFrame(frame) {
  if (commands.settle(frame)) return;
  switch (frame.type) {
    case 'realtime:welcome':
      connectionId = frame.payload.connectionId;
      showState({ name: 'online', connectionId });
      $('#job-start').disabled = false;
      return chat.enter();
    case 'realtime:expiring':
      return renew();
    case 'realtime:unsubscribed':
      return chat.removed(frame);
    case 'realtime:error':
      return console.warn(frame.payload);
    default:
      if (!frame.type.startsWith('realtime:')) show(frame);
  }
}

/** A new token for the open connection. Should it fail, the server closes with 3005 in time, and `url` sees to it. */
async function renew() {
  try {
    const { token } = await login(me.name);
    await commands.request({ action: 'auth', token });
  } catch (error) {
    console.warn(error);
  }
}

function show(frame) {
  const { type, payload, timestamp } = frame;
  const { address, text, draw, key } = MESSAGES[type] ?? UNKNOWN;
  draw?.(frame);
  feed({ type, address, to: RECIPIENTS[address](frame), text: text(payload), timestamp, key: key?.(payload) });
}

function describeDelivery({ recipients }) {
  return `Delivered to ${recipients} ${recipients === 1 ? 'connection' : 'connections'}`;
}

onSubmit('#order-form', async ({ item, quantity }) => {
  const { delivery } = await api('POST', '/orders', { item, quantity: Number(quantity) });
  return `${describeDelivery(delivery)} of ${me.name}`;
});

onSubmit('#job-form', async () => {
  const { jobId } = await api('POST', '/jobs', { connectionId });
  return `Job ${jobId.slice(0, 4)} started`;
});

onSubmit('#announcement-form', async ({ text }) => {
  const { delivery } = await api('POST', '/announcements', { text });
  $('#announcement-form').reset();
  return describeDelivery(delivery);
});

for (const button of document.querySelectorAll('[data-login]')) button.onclick = () => loginAs(button.dataset.login);
$('#logout').onclick = () => leave();

const notice = sessionStorage.getItem('notice') ?? '';
sessionStorage.removeItem('notice');

// The links to a second tab say who is to log in there: /?as=alice
const as = new URLSearchParams(location.search).get('as');
const session = currentSession();
if (session) enter(session);
else if (as) void loginAs(as);
else showLogin(notice);
