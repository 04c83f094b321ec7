const INTERVAL_MS = 1_000;

/** The user logged in on the page of each node. */
const USERS = ['alice', 'bob'];

const nodeTemplate = document.querySelector('#node');
const pageTemplate = document.querySelector('#page');

/** Shows a node: how it is, and a button that kills it. */
function showNode(origin, index) {
  const card = nodeTemplate.content.firstElementChild.cloneNode(true);
  const part = (name) => card.querySelector(`[data-part=${name}]`);
  const { host } = new URL(origin);
  card.dataset.node = host;
  part('host').textContent = `Node ${index + 1}: ${host}`;
  part('kill').textContent = `Kill node ${index + 1}`;
  document.querySelector('#nodes').append(card);

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

/** Shows the page of a user that starts on a node. It belongs to no node: it moves when its node is killed. */
function showPage(origin, index) {
  const section = pageTemplate.content.firstElementChild.cloneNode(true);
  const part = (name) => section.querySelector(`[data-part=${name}]`);
  section.dataset.start = new URL(origin).host;
  part('user').textContent = `Page of ${USERS[index]}, started on node ${index + 1}`;
  part('frame').title = part('user').textContent;
  part('frame').src = `${origin}/?as=${USERS[index]}`;
  document.querySelector('#pages').append(section);
}

const nodes = await (await fetch('/nodes')).json();
nodes.forEach(showNode);
nodes.forEach(showPage);
