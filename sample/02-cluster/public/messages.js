/**
 * The messages of a room in their order, each once: what comes both with the history and live has one offset.
 *
 * - `show({ offset, data })` puts a publication in its place.
 * - `clear()` is for a history that was reset, or that no longer reaches back to the last message of the page.
 */
export function createMessages(list, me) {
  const template = document.querySelector('#chat-message');

  function show({ offset, data }) {
    let before = list.lastElementChild;
    while (before && Number(before.dataset.offset) > offset) before = before.previousElementSibling;
    if (before && Number(before.dataset.offset) === offset) return;
    const message = draw(offset, data.payload);
    if (before) before.after(message);
    else list.prepend(message);
    list.scrollTop = list.scrollHeight;
  }

  function draw(offset, { userId, name, text }) {
    const message = template.content.firstElementChild.cloneNode(true);
    Object.assign(message.dataset, { offset, user: userId, own: userId === me });
    message.querySelector('[data-part=from]').textContent = name;
    message.querySelector('[data-part=text]').textContent = text;
    return message;
  }

  return { show, clear: () => list.replaceChildren() };
}
