const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 20_000;
const GRACE_MS = 10_000;

// A broken frame, text that is not UTF-8, too many fragments, a message that is too big: it would be the same the next time.
const BUGS = [1002, 1007, 1008, 1009];

/**
 * Keeps a WebSocket open: reconnects after a random time that may be longer after each failure (at most 0.5 s, 1 s, 2 s …
 * 20 s: "full jitter", so that a thousand pages do not come back in the same moment), notices a dead link by the missing
 * heartbeat, and stops when the server says so (close codes 3500–3999), or finds a bug in what the page has sent.
 *
 * - `url()` gives the address of the next attempt, token included; it may be asynchronous, and may throw to try later.
 * - `onFrame(frame)` gets every frame, parsed.
 * - `onState({ name, ... })` is told `connecting`, `online`, `waiting` (with `delayMs`, `reason`, and `code` if the
 *   socket was closed) or `stopped` (with `code`, `reason`).
 * - `onWire(direction, text)` is told each frame as it is sent (`↑`) and received (`↓`).
 *
 * Returns `send(command)`, which tells whether the command could be written, and `close()`.
 */
export function connect({ url, onFrame, onState, onWire }) {
  let socket;
  let timer;
  let failures = 0;
  let heartbeatMs = 25_000;
  let closed = false;

  async function open() {
    onState({ name: 'connecting' });
    let address;
    try {
      address = await url();
    } catch (error) {
      return lost(undefined, error.message);
    }
    if (closed) return;
    socket = new WebSocket(address);
    socket.onmessage = ({ data }) => {
      onWire('↓', data);
      received(JSON.parse(data));
    };
    socket.onclose = ({ code, reason }) => lost(code, reason || 'connection lost or refused');
    watch();
  }

  function received(frame) {
    if (frame.type === 'realtime:welcome') {
      failures = 0;
      heartbeatMs = frame.payload.heartbeatMs;
      onState({ name: 'online' });
    }
    watch();
    onFrame(frame);
  }

  // The server sends something at least every heartbeat, so longer silence means that the link is dead.
  function watch() {
    clearTimeout(timer);
    timer = setTimeout(() => lost(undefined, 'no sign of life'), heartbeatMs + GRACE_MS);
  }

  function lost(code, reason) {
    release();
    if (closed) return;
    const final = (code >= 3500 && code <= 3999) || BUGS.includes(code);
    if (final) return onState({ name: 'stopped', code, reason });
    const delayMs = Math.random() * Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** failures++);
    onState({ name: 'waiting', delayMs, code, reason });
    timer = setTimeout(() => void open(), delayMs);
  }

  function release() {
    clearTimeout(timer);
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    socket.close();
    socket = undefined;
  }

  void open();
  return {
    send(command) {
      if (socket?.readyState !== WebSocket.OPEN) return false;
      const text = JSON.stringify(command);
      socket.send(text);
      onWire('↑', text);
      return true;
    },
    close() {
      closed = true;
      release();
    },
  };
}
