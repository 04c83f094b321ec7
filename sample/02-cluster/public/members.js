/** Shows who is in the room of a subscription, and follows those who come and go; it needs `joinLeave: true`. */
export function showMembers(list, subscription) {
  const template = document.querySelector('#chat-member');
  let names = new Map();
  let changes = [];

  async function load() {
    changes = [];
    try {
      const { clients } = await subscription.presence();
      names = new Map(Object.values(clients).map(({ user, connInfo }) => [user, connInfo.name]));
    } catch {
      return; // Without a connection; the next one asks again.
    }
    // The answer may be older than what was told while it was on its way.
    for (const change of changes) change();
    draw();
  }

  function apply(change) {
    changes.push(change);
    change();
    draw();
  }

  function draw() {
    const members = [...names].sort(([, one], [, other]) => one.localeCompare(other));
    list.replaceChildren(
      ...members.map(([userId, name]) => {
        const member = template.content.firstElementChild.cloneNode(true);
        member.dataset.user = userId;
        member.querySelector('[data-part=initials]').textContent = initialsOf(name);
        member.querySelector('[data-part=name]').textContent = name;
        return member;
      }),
    );
  }

  subscription.on('subscribed', load);
  subscription.on('join', ({ info: { user, connInfo } }) => apply(() => names.set(user, connInfo.name)));
  subscription.on('leave', ({ info: { user } }) => apply(() => names.delete(user)));
}

/** The first letters of the first and the last word. */
function initialsOf(name) {
  const words = name.split(/\s+/);
  return [...new Set([words[0], words.at(-1)])].map(([letter]) => letter.toUpperCase()).join('');
}
