const OUTCOMES = {
  running: () => '',
  end: () => '',
  stopped: () => 'Stopped.',
  error: ({ error }) => `The answer broke off: ${error}`,
};

/** Draws exchanges into a list. `onAgain(question)` is called when somebody wants to ask once more. */
export function createView(list, template, onAgain) {
  const drawn = new Map();

  function add(exchange) {
    const item = template.content.firstElementChild.cloneNode(true);
    item.querySelector('[data-part=again]').onclick = () => onAgain(exchange.question);
    list.append(item);
    drawn.set(exchange.id, item);
    return item;
  }

  function draw(exchange) {
    const isAtEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 80;
    const item = drawn.get(exchange.id) ?? add(exchange);
    const part = (name) => item.querySelector(`[data-part=${name}]`);
    item.dataset.state = exchange.state;
    part('question').textContent = exchange.question;
    part('outcome').textContent = OUTCOMES[exchange.state](exchange);
    part('again').hidden = !exchange.question || !['stopped', 'error'].includes(exchange.state);
    // Only what is new is added, so that it alone is read aloud.
    const answer = part('answer');
    answer.append(exchange.answer.slice(answer.textContent.length));
    // Who has scrolled up wants to read there.
    if (isAtEnd) scrollTo({ top: document.documentElement.scrollHeight });
  }

  return {
    draw,
    clear() {
      drawn.clear();
      list.replaceChildren();
    },
  };
}
