const tile = (name: string, label: string, isDrawn = false) =>
  `<div id="total-${name}" class="tile"><dt>${label}</dt><dd>–</dd>${isDrawn ? SPARK : ''}</div>`;

const SPARK =
  '<svg class="spark" viewBox="0 0 60 20" preserveAspectRatio="none" aria-hidden="true"><polyline></polyline></svg>';

const column = (label: string, className = '') => `<th scope="col" class="${className}">${label}</th>`;

const table = (id: string, title: string, columns: readonly string[]) => `
        <div class="scroll" tabindex="0" role="region" aria-labelledby="${title}">
          <table id="${id}"><thead><tr>${columns.join('')}</tr></thead><tbody></tbody></table>
        </div>`;

const NODES = [
  column('Node'),
  column('State', 'words'),
  column('Connections', 'number'),
  column('Users', 'number wide'),
  column('Topics', 'number wide'),
  column('Subscriptions', 'number wide'),
  column('Sent/s', 'number'),
  column('Received/s', 'number'),
  column('Send queues', 'number'),
  column('<abbr title="Delay of the event loop, 99th percentile">Loop delay</abbr>', 'number'),
  column('Up', 'number wide'),
];

const TRAFFIC = [
  column('Topics or address', 'pattern'),
  column('Sent/s', 'number'),
  column('Received/s', 'number'),
  column('Sent', 'number'),
  column('Received', 'number'),
];

const CLOSES = [
  column('Code'),
  column('Meaning', 'words'),
  column('Closed', 'number'),
  column('Latest', 'words latest'),
];

const REFUSALS = [column('Status', 'words'), column('Refused', 'number'), column('Latest', 'words latest')];

const USER = [
  column('Connection', 'words id'),
  column('Node'),
  column('Since', 'number'),
  column('Expires', 'number'),
  column('Roles', 'words'),
  column('Topics', 'words'),
];

const TAIL = [
  column('Time'),
  column('Type', 'words'),
  column('Size', 'number'),
  column('Node'),
  '<th scope="col" class="words text" id="tail-payload">Message</th>',
];

/** The page, with `{folder}` where its files are and `{tail}` as what it shows of messages. */
export const INSPECTOR_HTML = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="robots" content="noindex" />
    <title>Realtime inspector</title>
    <link rel="icon" href="{folder}icon.svg" />
    <link rel="stylesheet" href="{folder}inspector.css" />
    <script type="module" src="{folder}inspector.js"></script>
  </head>
  <body data-tail="{tail}">
    <a class="skip" href="#main">Skip to the content</a>
    <header>
      <h1>Realtime</h1>
      <p id="status" role="status" data-state="connecting">Connecting …</p>
      <p class="asked">as of <span id="as-of">–</span>, by node <code id="asked">–</code></p>
      <button type="button" id="pause" aria-pressed="false">Pause</button>
    </header>
    <p id="news" class="visually-hidden" role="status"></p>
    <main id="main" tabindex="-1">
      <section aria-label="All nodes together">
        <dl class="tiles">
          ${tile('connections', 'Connections', true)}
          ${tile('sent', 'Messages sent/s', true)}
          ${tile('received', 'Messages received/s', true)}
          ${tile('users', 'Users')}
          ${tile('topics', 'Topics')}
          ${tile('subscriptions', 'Subscriptions')}
          ${tile('nodes', 'Nodes')}
        </dl>
      </section>

      <section class="card" aria-labelledby="nodes-title">
        <h2 id="nodes-title">Nodes</h2>${table('nodes', 'nodes-title', NODES)}
      </section>

      <section class="card" aria-labelledby="traffic-title">
        <h2 id="traffic-title">Busiest <small>since the start of each node</small></h2>${table('traffic', 'traffic-title', TRAFFIC)}
        <p id="traffic-none" class="none">No messages yet.</p>
      </section>

      <section class="card half" aria-labelledby="closes-title">
        <h2 id="closes-title">Closed connections <small>by code</small></h2>${table('closes', 'closes-title', CLOSES)}
        <p id="closes-none" class="none">None yet.</p>
      </section>

      <section class="card half" aria-labelledby="refusals-title">
        <h2 id="refusals-title">Refused requests <small>by reason</small></h2>${table('refusals', 'refusals-title', REFUSALS)}
        <p id="refusals-none" class="none">None yet.</p>
      </section>

      <section class="card" aria-labelledby="user-title">
        <h2 id="user-title">A user’s connections</h2>
        <form id="user-form" class="search">
          <label for="user-id">User id</label>
          <input id="user-id" type="search" autocomplete="off" spellcheck="false" autocapitalize="off" maxlength="1024" />
          <button type="submit">Find</button>
        </form>
        <p id="user-result" class="result" role="status"></p>
        <div id="user-table" hidden>${table('user', 'user-title', USER)}
        </div>
      </section>

      <section id="tail-section" class="card" aria-labelledby="tail-title" hidden>
        <h2 id="tail-title">Messages to a topic <small>as nodes publish them</small></h2>
        <form id="tail-form" class="search">
          <label for="tail-topic">Topic</label>
          <input id="tail-topic" type="search" autocomplete="off" spellcheck="false" autocapitalize="off" maxlength="1024" />
          <button type="submit">Watch</button>
          <button type="button" id="tail-stop" class="quiet" hidden>Stop</button>
        </form>
        <p id="tail-result" class="result" role="status"></p>${table('tail', 'tail-title', TAIL)}
        <p id="tail-none" class="none">Nothing was published since you watch.</p>
      </section>
    </main>
  </body>
</html>
`;
