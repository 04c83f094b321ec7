import { server } from './server.js';

// sessionStorage belongs to one tab, so two tabs can be two users, or the same one twice.
const KEY = 'session';

/** `{ token, user: { name, role } }` of the user who is logged in in this tab. */
export function currentSession() {
  return JSON.parse(sessionStorage.getItem(KEY));
}

export function endSession() {
  sessionStorage.removeItem(KEY);
}

/** Logs in, here without a password, and returns the new session. */
export async function login(name) {
  const session = await parse(await call('POST', '/login', { name }));
  sessionStorage.setItem(KEY, JSON.stringify(session));
  return session;
}

/**
 * Calls the HTTP API with the tab's token and returns the answer's body. When the token is refused (it expired, or the
 * server was restarted and has another secret) it logs in again and calls once more.
 */
export async function api(method, path, body) {
  let response = await call(method, path, body);
  const session = currentSession();
  if (response.status === 401 && session) {
    await login(session.user.name);
    response = await call(method, path, body);
  }
  return parse(response);
}

function call(method, path, body) {
  const token = currentSession()?.token;
  return fetch(new URL(path, server.origin), {
    method,
    headers: {
      ...(body && { 'content-type': 'application/json' }),
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body: body && JSON.stringify(body),
  }).catch((cause) => {
    throw new Error('the server cannot be reached', { cause });
  });
}

async function parse(response) {
  const body = await response.json();
  if (response.ok) return body;
  const message = [body.message].flat().join('; ');
  throw Object.assign(new Error(message), { status: response.status });
}
