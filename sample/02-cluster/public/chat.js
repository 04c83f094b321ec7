import { showMembers } from './members.js';
import { createMessages } from './messages.js';
import { createTyping } from './typing.js';

const TOPIC = 'chat:lobby';
const BACKLOG = 50;

const $ = (selector) => document.querySelector(selector);

/**
 * Enters the room, and stays in it over every loss of the connection: the SDK subscribes again and recovers what was
 * missed. Only who comes for the first time, or was away for too long, loads the history.
 */
export function enterChat(client, me) {
  const form = $('#chat-form');
  const send = $('#chat-send');
  const list = $('#chat-messages');
  const error = $('#chat-error');
  const subscription = client.newSubscription(TOPIC, { joinLeave: true });
  const messages = createMessages(list, me);
  const typing = createTyping(client, $('#chat-text'), $('#chat-typing'), me);
  let draft = {};

  async function entered({ recovered }) {
    send.disabled = false;
    error.textContent = '';
    if (!recovered) {
      messages.clear();
      list.ariaBusy = 'true';
    }
    // It is still busy when the connection was lost before the history had come.
    if (list.ariaBusy === 'true') await load();
  }

  async function load() {
    try {
      const { publications } = await subscription.history({ limit: BACKLOG, reverse: true });
      publications.forEach(messages.show);
      list.ariaBusy = 'false';
    } catch (reason) {
      error.textContent = explain(reason);
    }
  }

  async function say(event) {
    event.preventDefault();
    const text = form.elements.text.value;
    // A retry after a missing answer is the same message.
    if (text !== draft.text) draft = { id: crypto.randomUUID(), text };
    try {
      await client.rpc('say', { topic: TOPIC, payload: draft });
      draft = {};
      form.reset();
      typing.told();
      error.textContent = '';
    } catch (reason) {
      error.textContent = explain(reason);
    }
  }

  showMembers($('#chat-members'), subscription);
  subscription.on('subscribed', entered);
  subscription.on('subscribing', () => {
    send.disabled = true;
  });
  subscription.on('unsubscribed', (reason) => {
    send.disabled = true;
    error.textContent = explain(reason);
  });
  subscription.on('publication', (publication) => {
    messages.show(publication);
    typing.stopped(publication.data.payload.userId);
  });
  form.onsubmit = say;
  subscription.subscribe();
}

/** Returns the text of an error: the SDK rejects with `{ code, message }`, and ends a subscription with `{ code, reason }`. */
function explain({ code, message, reason = message }) {
  return `${reason} (${code})`;
}
