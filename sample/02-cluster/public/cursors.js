const TOPIC = 'cursor:lobby';
const EVERY_MS = 1_000 / 60;
const HIDE_AFTER_MS = 10_000;

/**
 * Shows everybody's cursor on `board`, and tells the others where one's own is: at most 60 times a second, and always where it
 * has come to rest. Positions are parts of the width and height of the board, which differ from screen to screen.
 */
export function createCursors(client, board, template, me) {
  const subscription = client.newSubscription(TOPIC);
  const cursors = new Map();
  let position;
  let timer;
  let lastSent = 0;

  function tell() {
    timer = undefined;
    if (subscription.state !== 'subscribed') return;
    lastSent = performance.now();
    client.send({ topic: TOPIC, type: 'move', payload: position }).catch(() => {});
  }

  function moveTo(x, y) {
    position = { x: share(x), y: share(y) };
    timer ??= setTimeout(tell, Math.max(0, lastSent + EVERY_MS - performance.now()));
  }

  function cursorOf({ userId, name }) {
    let cursor = cursors.get(userId);
    if (!cursor) {
      const element = template.content.firstElementChild.cloneNode(true);
      element.dataset.user = userId;
      element.querySelector('[data-part="name"]').textContent = name;
      board.append(element);
      cursor = { element };
      cursors.set(userId, cursor);
    }
    return cursor;
  }

  function show(moved) {
    const cursor = cursorOf(moved);
    cursor.element.style.setProperty('--x', moved.x);
    cursor.element.style.setProperty('--y', moved.y);
    clearTimeout(cursor.timer);
    cursor.timer = setTimeout(() => {
      cursor.element.remove();
      cursors.delete(moved.userId);
    }, HIDE_AFTER_MS);
  }

  board.onpointermove = ({ clientX, clientY }) => {
    const { left, top, width, height } = board.getBoundingClientRect();
    moveTo((clientX - left) / width, (clientY - top) / height);
  };
  board.onkeydown = (event) => {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const { x, y } = position ?? { x: 0.5, y: 0.5 };
    moveTo(x + step.x, y + step.y);
  };

  subscription.on('publication', ({ data }) => {
    if (data.payload.userId !== me) show(data.payload);
  });
  subscription.subscribe();
}

/** The arrow keys move the cursor by a twentieth of the board. */
const STEPS = {
  ArrowLeft: { x: -0.05, y: 0 },
  ArrowRight: { x: 0.05, y: 0 },
  ArrowUp: { x: 0, y: -0.05 },
  ArrowDown: { x: 0, y: 0.05 },
};

function share(value) {
  return Math.min(1, Math.max(0, value));
}
