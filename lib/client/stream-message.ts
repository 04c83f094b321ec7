import { ItemQueue, type StreamOptions } from './item-queue.js';
import { CONNECTING, OPEN, parsedFrame, type PlainSocket } from './plain-socket.js';
import { disconnected } from './stream-error.js';
import { applyFrame, isStreamFrame } from './stream-frame.js';

/** A message to a topic. */
export interface StreamCommand {
  readonly topic: string;
  /** For `@OnMessage(type)`. */
  readonly type: string;
  readonly payload?: unknown;
  /** Default: an id of its own, unique for this page or process. */
  readonly id?: string | number;
}

let asked = 0;

/**
 * Sends a message over a `WebSocket` of the plain protocol and takes the items of its answer as they come; a handler of one value gives
 * one item.
 *
 * ```ts
 * for await (const token of streamMessage<string>(socket, { topic: 'chat:lobby', type: 'ask', payload: 'Hello' })) show(token);
 * ```
 *
 * It asks when it is called, or when the socket opens. Leaving the loop, or aborting the signal, cancels the message at the server. The
 * stream ends with its socket. Items that are not taken are held without bound.
 * @returns an iterator that rejects with a {@link RealtimeStreamError}, or with the reason of the signal
 * @throws TypeError for a payload that is no JSON
 * @publicApi
 */
export function streamMessage<T = unknown>(
  socket: PlainSocket,
  { id = `stream-${(asked += 1)}`, topic, type, payload }: StreamCommand,
  { signal }: StreamOptions = {},
): AsyncIterableIterator<T> {
  // A payload that is no JSON throws here, before anything listens.
  const message = JSON.stringify({ action: 'message', topic, type, payload, stream: true, id });
  let isAsked = false;
  const ask = () => {
    isAsked = true;
    socket.send(message);
  };
  const onMessage = (event: { readonly data: unknown }) => {
    const frame = parsedFrame(event);
    if (isStreamFrame(frame) && frame.id === id) applyFrame(queue, frame);
  };
  const onClose = () => queue.fail(disconnected());
  const queue = new ItemQueue<T>(signal, (isEarly) => {
    socket.removeEventListener('open', ask);
    socket.removeEventListener('message', onMessage);
    socket.removeEventListener('close', onClose);
    if (isEarly && isAsked && socket.readyState === OPEN) socket.send(JSON.stringify({ action: 'cancel', id }));
  });
  if (queue.isOver) return queue;
  socket.addEventListener('message', onMessage);
  socket.addEventListener('close', onClose);
  if (socket.readyState === OPEN) ask();
  else if (socket.readyState === CONNECTING) socket.addEventListener('open', ask);
  else onClose();
  return queue;
}
