import { enterChat } from './chat.js';
import { createClient } from './client.js';
import { createCursors } from './cursors.js';
import { createFeed } from './feed.js';
import { onSubmit } from './forms.js';
import { api, currentSession, endSession, login } from './session.js';
import { showState } from './status.js';

const $ = (selector) => document.querySelector(selector);

const feed = createFeed($('#feed'), $('#feed-entry'));
let me;
let client;

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
  document.title = `${me.name} · Realtime on two nodes`;
  Object.assign(document.body.dataset, { user: me.name, role: me.role });
  $('#me').textContent = $('#order-user').textContent = me.name;
  $('#role').textContent = me.role;
  $('#login').hidden = true;
  $('#app').hidden = false;
  // The link to the inspector opens a page, which a browser asks for with a cookie.
  if (me.role === 'admin') api('POST', '/inspector-session').catch(console.warn);
  client = createClient(async () => (await login(me.name)).token, onState);
  client.on('message', ({ data }) => show(data));
  enterChat(client, me.name);
  createCursors(client, $('#board'), $('#cursor'), me.name);
  client.connect();
}

/** Back to the buttons, on a fresh page with nothing of the last user left in it. */
function leave(notice = '') {
  client.disconnect();
  endSession();
  sessionStorage.setItem('notice', notice);
  location.replace(location.pathname);
}

function onState(state) {
  if (state.name === 'stopped') leave(`${state.reason} (${state.code})`);
  else showState(state);
}

/** Shows a message that was sent to the user, not to the room. */
function show({ type, payload, timestamp }) {
  if (type !== 'order.created') return;
  const text = `Order received: ${payload.quantity} × ${payload.item}`;
  feed({ type, address: 'user', to: `user ${me.name}`, text, timestamp });
}

onSubmit('#order-form', async ({ item, quantity }) => {
  const { delivery } = await api('POST', '/orders', { item, quantity: Number(quantity) });
  const { recipients } = delivery;
  return `Delivered to ${recipients} ${recipients === 1 ? 'connection' : 'connections'} of ${me.name}`;
});

for (const button of document.querySelectorAll('[data-login]')) button.onclick = () => loginAs(button.dataset.login);
$('#logout').onclick = () => leave();

const notice = sessionStorage.getItem('notice') ?? '';
sessionStorage.removeItem('notice');

// The page with both nodes says who is to log in: /?as=alice
const as = new URLSearchParams(location.search).get('as');
const session = currentSession();
if (session) enter(session);
else if (as) void loginAs(as);
else showLogin(notice);
