const MAX_ENTRIES = 50;

/**
 * The list of what arrived, newest first. An entry with a `key` takes the place of the last one with that key and counts
 * up, so that what comes every second does not bury the rest.
 */
export function createFeed(list, template) {
  const byKey = new Map();

  return ({ type, address, to, text, timestamp, key }) => {
    const known = byKey.get(key);
    const entry = known?.isConnected ? known : template.content.firstElementChild.cloneNode(true);
    const part = (name) => entry.querySelector(`[data-part=${name}]`);
    Object.assign(entry.dataset, { type, address, count: Number(entry.dataset.count ?? 0) + 1 });
    part('to').textContent = to;
    part('to').dataset.address = address;
    part('type').textContent = type;
    part('count').textContent = entry.dataset.count > 1 ? `×${entry.dataset.count}` : '';
    part('text').textContent = text;
    part('time').textContent = new Date(timestamp).toLocaleTimeString([], { hourCycle: 'h23' });
    if (entry === known) return;
    if (key) {
      byKey.set(key, entry);
      entry.ariaLive = 'off';
    }
    list.prepend(entry);
    if (list.children.length > MAX_ENTRIES) list.lastElementChild.remove();
  };
}
