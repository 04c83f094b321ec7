import { ItemQueue, type StreamOptions } from './item-queue.js';
import type { Listener } from './listener.js';
import { disconnected, RealtimeStreamError, streamErrorOf } from './stream-error.js';
import { applyFrame, isStreamFrame, type StreamFrame } from './stream-frame.js';

/** The parts of a Centrifuge client that are used. */
export interface RpcClient {
  /** Calls the server. */
  rpc(method: string, data: unknown): Promise<{ readonly data: unknown }>;
  /** Adds a listener. */
  on(event: 'message' | 'connecting' | 'disconnected', listener: Listener): unknown;
  /** Removes a listener. */
  removeListener(event: 'message' | 'connecting' | 'disconnected', listener: Listener): unknown;
}

/** The data of a call. */
export interface RpcData {
  readonly topic: string;
  readonly payload?: unknown;
}

/**
 * Sends a message over a Centrifuge SDK and takes the items of its answer as they come; a handler of one value gives one item.
 *
 * ```ts
 * for await (const token of streamRpc<string>(client, 'ask', { topic: 'chat:lobby', payload: 'Hello' })) show(token);
 * ```
 *
 * It asks when it is called. Leaving the loop, or aborting the signal, cancels the message at the server. The stream ends with the connection
 * that asked: it is not resumed. Items that are not taken are held without bound.
 * @param type the type of the message, for `@OnMessage(type)`
 * @returns an iterator that rejects with the error of the SDK, a {@link RealtimeStreamError}, or the reason of the signal
 * @publicApi
 */
export function streamRpc<T = unknown>(
  client: RpcClient,
  type: string,
  data: RpcData,
  { signal }: StreamOptions = {},
): AsyncIterableIterator<T> {
  let id: number | undefined;
  /** What comes before the answer to the call was looked at. */
  let early: StreamFrame[] = [];
  const cancel = () => {
    if (id !== undefined) client.rpc('realtime:cancel', { id }).catch(() => undefined);
  };
  const onMessage = ({ data: frame }: { readonly data: unknown }) => {
    if (!isStreamFrame(frame)) return;
    if (id === undefined) early.push(frame);
    else if (frame.id === id) applyFrame(queue, frame);
  };
  // Before the answer, the SDK rejects the call.
  const onLost = () => {
    if (id !== undefined) queue.fail(disconnected());
  };
  const queue = new ItemQueue<T>(signal, (isEarly) => {
    client.removeListener('message', onMessage);
    client.removeListener('connecting', onLost);
    client.removeListener('disconnected', onLost);
    if (isEarly) cancel();
  });
  if (queue.isOver) return queue;
  client.on('message', onMessage);
  client.on('connecting', onLost);
  client.on('disconnected', onLost);
  const begin = ({ data: answer }: { readonly data: unknown }): void => {
    id = (answer as { readonly stream?: number } | null | undefined)?.stream;
    if (id === undefined) queue.fail(new RealtimeStreamError('NO_STREAM', 'The server answered without a stream.'));
    else if (queue.isOver) cancel();
    for (const frame of early) if (frame.id === id) applyFrame(queue, frame);
    early = [];
  };
  client.rpc(type, { ...data, stream: true }).then(begin, (error: unknown) => queue.fail(streamErrorOf(error)));
  return queue;
}
