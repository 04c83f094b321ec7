/**
 * The questions of a conversation with their answers, as what was published says, and nothing else: who reloads, comes late or
 * changes nodes is sent the same, and sees the same.
 *
 * - `take({ type, payload })` reads a publication, and returns the exchange that it changed: `{ id, question, answer, state, error? }`,
 *   `state` being `running`, `end`, `stopped` or `error`.
 * - `running()` returns the exchange whose answer is being given, if any.
 */
export function createConversation() {
  const exchanges = new Map();

  function exchangeOf(id) {
    if (!exchanges.has(id)) exchanges.set(id, { id, question: '', answer: '', state: 'running' });
    return exchanges.get(id);
  }

  function take({ type, payload }) {
    const exchange = exchangeOf(payload.id);
    if (type === 'question') exchange.question = payload.text;
    else if (payload.items) exchange.answer += payload.items.join('');
    else if (payload.end) exchange.state = payload.stopped ? 'stopped' : 'end';
    else Object.assign(exchange, { state: 'error', error: payload.error });
    return exchange;
  }

  return {
    take,
    clear: () => exchanges.clear(),
    running: () => [...exchanges.values()].find(({ state }) => state === 'running'),
  };
}
