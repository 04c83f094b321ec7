/**
 * The chat: one room at a time, and each room a topic. `request` sends a command and resolves to its answer.
 *
 * - `enter()` joins the chosen room. After each `realtime:welcome`, too: a new connection has no subscriptions.
 * - `leave()` closes the room until the next `enter()`.
 * - `removed(frame)` is for a subscription that the server ended.
 * - `said(frame)` and `members(frame)` show what was published to a topic.
 */
export function createChat(request, me) {
  const rooms = document.querySelector('#chat-rooms');
  const form = document.querySelector('#chat-form');
  const fields = document.querySelector('#chat-fields');
  const list = document.querySelector('#chat-messages');
  const people = document.querySelector('#chat-members');
  const error = document.querySelector('#chat-error');
  const template = document.querySelector('#chat-message');
  let topic;

  async function enter() {
    const room = `chat:${new FormData(rooms).get('room')}`;
    // Commands are handled in order, so the next room need not wait for the answer to this one.
    if (topic) request({ action: 'unsubscribe', topic }).catch(() => {});
    if (list.dataset.topic !== room) list.replaceChildren();
    leave();
    list.toggleAttribute('data-outside', false);
    list.dataset.topic = topic = room;
    try {
      await request({ action: 'subscribe', topic: room });
      fields.disabled = topic !== room;
      await request({ action: 'message', topic: room, type: 'members' });
    } catch (reason) {
      if (topic !== room) return;
      list.toggleAttribute('data-outside', true);
      error.textContent = `${room}: ${explain(reason)}`;
    }
  }

  function leave() {
    topic = undefined;
    fields.disabled = true;
    error.textContent = '';
    people.replaceChildren();
  }

  function removed({ payload: { topic: room, reason } }) {
    if (room !== topic) return;
    leave();
    list.toggleAttribute('data-outside', true);
    error.textContent = `${room}: ${reason}`;
  }

  async function say(event) {
    event.preventDefault();
    const { text } = Object.fromEntries(new FormData(form));
    try {
      const { id } = await request({ action: 'message', topic, type: 'say', payload: { text } });
      form.reset();
      error.textContent = '';
      list.querySelector(`[data-id="${CSS.escape(id)}"]`)?.toggleAttribute('data-confirmed', true);
    } catch (reason) {
      error.textContent = explain(reason);
    }
  }

  function said({ topic: room, payload: { id, from, text } }) {
    if (room !== topic) return;
    const message = template.content.firstElementChild.cloneNode(true);
    Object.assign(message.dataset, { id, user: from, own: from === me });
    message.querySelector('[data-part=from]').textContent = from;
    message.querySelector('[data-part=text]').textContent = text;
    list.append(message);
    list.scrollTop = list.scrollHeight;
  }

  function members({ topic: room, payload }) {
    if (room !== topic) return;
    people.replaceChildren(
      ...payload.members.map(({ userId, connections }) => {
        const person = document.createElement('li');
        person.dataset.user = userId;
        person.textContent = connections > 1 ? `${userId} × ${connections}` : userId;
        return person;
      }),
    );
  }

  rooms.onchange = enter;
  form.onsubmit = say;
  return { enter, leave, removed, said, members };
}

/** Returns the text of an error from the server; for a `ValidationPipe`, all its messages. */
function explain({ message, code }) {
  return code ? `${message} (${code})` : message;
}
