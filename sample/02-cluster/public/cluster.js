const INTERVAL_MS = 1_000;

/** The user logged in on the page of each node. */
const USERS = ['alice', 'bob'];

const template = document.querySelector('#node');

/** Shows a node: how it is, a button that kills it, and the page that starts there. */
function show(origin, index) {
  const section = template.content.firstElementChild.cloneNode(true);
  const part = (name) => section.querySelector(`[data-part=${name}]`);
  const card = section.querySelector('.node-card');
  const { host } = new URL(origin);
  section.dataset.node = host;
  part('host').textContent = `Node ${index + 1}: ${host}`;
  part('kill').ariaLabel = `Kill node ${index + 1}`;
  part('page').title = `The page that started on node ${index + 1}`;
  part('page').src = `${origin}/?as=${USERS[index]}`;
  document.querySelector('#nodes').append(section);

  function draw(state, text) {
    card.dataset.state = state;
    // A status that is written again is read aloud again.
    if (part('state').textContent !== text) part('state').textContent = text;
    part('kill').disabled = state !== 'up';
  }

  async function look() {
    try {
      const { pid, isAttached } = await (await fetch(`${origin}/node`)).json();
      draw('up', `up, process ${pid}${isAttached ? '' : ', without the other nodes'}`);
    } catch {
      draw('down', 'down; back within some seconds');
    }
    setTimeout(() => void look(), INTERVAL_MS);
  }

  part('kill').onclick = () => {
    part('kill').disabled = true;
    fetch(`${origin}/node`, { method: 'DELETE' }).catch((error) => console.warn(error));
  };
  void look();
}

const nodes = await (await fetch('/nodes')).json();
nodes.forEach(show);
