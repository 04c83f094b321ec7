const TELL_EVERY_MS = 2_000;
const SHOW_MS = 4_000;

const TOPIC = 'typing:lobby';
const names = new Intl.ListFormat('en');

/**
 * Tells the others that somebody types in `input`, and shows in `line` who of them does. A sign is shown for 4 s, and
 * given at most every 2 s; it is sent without waiting for an answer, and nobody is told later.
 *
 * - `told()`: the typed message has been sent.
 * - `stopped(userId)`: the user has sent a message, and is therefore no longer typing.
 */
export function createTyping(client, input, line, me) {
  const subscription = client.newSubscription(TOPIC);
  const typists = new Map();
  let lastSign = 0;

  function draw() {
    const typing = [...typists.values()].map(({ name }) => name);
    line.textContent =
      typing.length === 0 ? '' : `${names.format(typing)} ${typing.length === 1 ? 'is' : 'are'} typing`;
  }

  function stopped(userId) {
    clearTimeout(typists.get(userId)?.timer);
    if (typists.delete(userId)) draw();
  }

  subscription.on('publication', ({ data }) => {
    const { userId, name } = data.payload;
    if (userId === me) return;
    clearTimeout(typists.get(userId)?.timer);
    typists.set(userId, { name, timer: setTimeout(stopped, SHOW_MS, userId) });
    draw();
  });

  input.oninput = () => {
    const isDue = Date.now() - lastSign >= TELL_EVERY_MS;
    if (!input.value || !isDue || subscription.state !== 'subscribed') return;
    lastSign = Date.now();
    client.send({ topic: TOPIC, type: 'type' }).catch(() => {});
  };

  subscription.subscribe();
  return {
    stopped,
    told() {
      lastSign = 0;
    },
  };
}
