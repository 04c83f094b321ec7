import { server } from './server.js';

const root = document.querySelector('#connection');
const state = document.querySelector('#connection-state');
const id = document.querySelector('#connection-id');

/** Shows how the connection is, and its id while there is one. */
export function showState({ name, code, reason, connectionId = '' }) {
  root.dataset.state = name;
  state.textContent = name === 'waiting' ? `offline: ${reason} (${code})` : `${name}: ${server.name}`;
  id.textContent = connectionId;
}
