import { server } from './server.js';

const root = document.querySelector('#connection');
const state = document.querySelector('#connection-state');
const retry = document.querySelector('#connection-retry');
const id = document.querySelector('#connection-id');
let countdown;

/** Shows how the connection is: what `connect` says, and the connection's id while there is one. */
export function showState({ name, delayMs, code, reason, connectionId = '' }) {
  clearInterval(countdown);
  root.dataset.state = name;
  state.textContent = describe({ name, code, reason });
  id.textContent = connectionId;
  retry.textContent = '';
  if (name === 'waiting') countDown(Date.now() + delayMs);
}

function describe({ name, code, reason }) {
  if (name === 'waiting') return `offline: ${reason}${code ? ` (${code})` : ''}`;
  return server.name ? `${name}: ${server.name}` : name;
}

function countDown(end) {
  const tick = () => {
    retry.textContent = `, next try in ${Math.max(0, Math.ceil((end - Date.now()) / 1000))} s`;
  };
  tick();
  countdown = setInterval(tick, 250);
}
