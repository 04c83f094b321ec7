import { createClient } from './client.js';
import { createConversation } from './conversation.js';
import { server } from './server.js';
import { login } from './session.js';
import { showState } from './status.js';
import { createView } from './view.js';

const $ = (selector) => document.querySelector(selector);

// The address names the conversation, so a reload and a second tab show the same one.
if (!location.hash) history.replaceState(null, '', `#${crypto.randomUUID()}`);
const topic = `ai:${location.hash.slice(1)}`;
$('#second-tab').href = location.href;
addEventListener('hashchange', () => location.reload());

const client = createClient(async () => (await login('alice')).token, showState);
const subscription = client.newSubscription(topic);
const conversation = createConversation();
const view = createView($('#exchanges'), $('#exchange'), ask);
const form = $('#ask');

/** Calls the server, and shows what it refuses. Returns whether it did not. */
async function call(type, payload) {
  try {
    await client.rpc(type, { topic, payload });
    $('#notice').textContent = '';
    return true;
  } catch ({ message }) {
    $('#notice').textContent = message;
    return false;
  }
}

function ask(text) {
  return call('ask', { text });
}

function showControls() {
  const isRunning = conversation.running() !== undefined;
  $('#stop').hidden = !isRunning;
  $('#send').hidden = isRunning;
  $('#send').disabled = subscription.state !== 'subscribed';
}

subscription.on('publication', ({ data }) => {
  view.draw(conversation.take(data));
  showControls();
});
subscription.on('subscribed', ({ recovered }) => {
  // What was missed comes now; if it is not known what was, everything that is kept does.
  if (!recovered) {
    conversation.clear();
    view.clear();
  }
  showControls();
});
subscription.on('subscribing', showControls);
subscription.on('unsubscribed', ({ reason }) => {
  $('#notice').textContent = reason;
  showControls();
});

form.onsubmit = async (event) => {
  event.preventDefault();
  if (await ask(form.elements.text.value)) form.reset();
};
$('#stop').onclick = () => call('stop', { id: conversation.running()?.id });
$('#kill').onclick = () => fetch(`${server.origin}/node`, { method: 'DELETE' }).catch(console.warn);

subscription.subscribe();
client.connect();
