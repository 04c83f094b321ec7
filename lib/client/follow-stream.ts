import { ItemQueue, type StreamOptions } from './item-queue.js';
import type { Listener } from './listener.js';
import { OPEN, parsedFrame, type PlainSocket } from './plain-socket.js';
import { disconnected, RealtimeStreamError } from './stream-error.js';

/** The parts of a Centrifuge subscription that are used. */
export interface StreamSubscription {
  /** Adds a listener. */
  on(event: 'publication' | 'subscribed' | 'unsubscribed', listener: Listener): unknown;
  /** Removes a listener. */
  removeListener(event: 'publication' | 'subscribed' | 'unsubscribed', listener: Listener): unknown;
}

/** A topic to which a socket of the plain protocol is subscribed. */
export interface TopicOfSocket {
  readonly socket: PlainSocket;
  readonly topic: string;
}

/** The pieces that are missing: those from `from` to before `to`, or, without `to`, perhaps all from `from` on, the end included. */
export interface MissingPieces {
  readonly from: number;
  readonly to?: number;
}

/** Options of {@link followStream}. */
export interface FollowOptions extends StreamOptions {
  /**
   * Told which pieces are missing; the items behind them follow. Default: the iteration rejects with `TRUNCATED`. Without `to` the
   * server has said that publications of the topic are lost: if the end is among them, the iteration does not end by itself.
   */
  readonly onTruncated?: (missing: MissingPieces) => void;
}

/** A publication of a stream. */
interface Piece {
  readonly id: string;
  readonly seq?: number;
  readonly items?: readonly unknown[];
  readonly end?: boolean;
  readonly error?: string;
}

/**
 * Takes the items of a published stream from a subscription: each once and in order, also when the connection is lost meanwhile and the
 * subscription recovers. Strings that were yielded one after another may come joined.
 *
 * ```ts
 * const asked = client.rpc('ask', { topic, payload: 'Hello' }).then(({ data }) => data.id);
 * for await (const text of followStream<string>(subscription, asked)) show(text);
 * ```
 *
 * It listens when it is called; a promise of the id may be given, so that nothing is missed meanwhile. Leaving the loop, or aborting the
 * signal, stops listening; the stream goes on for others. Items that are not taken are held without bound.
 * @param source a subscription of a Centrifuge client, or a topic to which a socket of the plain protocol is subscribed
 * @returns an iterator that rejects with a {@link RealtimeStreamError}, or with the reason of the signal
 * @publicApi
 */
export function followStream<T = unknown>(
  source: StreamSubscription | TopicOfSocket,
  id: string | PromiseLike<string>,
  { signal, onTruncated }: FollowOptions = {},
): AsyncIterableIterator<T> {
  let known: string | undefined;
  /** Pieces of any stream that come before the id is known. */
  let early: Piece[] = [];
  let expected = 0;
  let stop = (): void => undefined;

  const take = ({ seq, items, end, error }: Piece): void => {
    if (queue.isOver) return;
    if (seq !== undefined) {
      // Recovered twice. An end comes once, and may not know how many pieces there were.
      if (seq < expected && items !== undefined) return;
      if (seq > expected) missed({ from: expected, to: seq });
      expected = seq + 1;
    }
    for (const item of items ?? []) queue.push(item as T);
    if (error !== undefined) queue.fail(new RealtimeStreamError('FAILED', error));
    else if (end) queue.close();
  };
  const missed = (missing: MissingPieces): void => {
    if (onTruncated) onTruncated(missing);
    else queue.fail(new RealtimeStreamError('TRUNCATED', 'Pieces of the stream are missing.', false, missing));
  };
  const onPayload = (payload: unknown): void => {
    if (!isPiece(payload)) return;
    if (known === undefined) early.push(payload);
    else if (payload.id === known) take(payload);
  };

  /** Publications of the topic are lost for good. Before the first piece nothing says that they concern this stream. */
  const onLoss = (): void => {
    if (expected > 0 && !queue.isOver) missed({ from: expected });
  };

  const queue = new ItemQueue<T>(signal, () => stop());
  if (queue.isOver) {
    // Nobody else may hear that the call for the id was refused.
    if (typeof id !== 'string') id.then(undefined, () => undefined);
    return queue;
  }
  const listen = { onPayload, onLoss };
  stop = 'socket' in source ? listenToSocket(source, listen, queue) : listenToSubscription(source, listen, queue);
  const start = (given: string): void => {
    known = given;
    const begun = early;
    early = [];
    for (const piece of begun) if (piece.id === known) take(piece);
  };
  if (typeof id === 'string') start(id);
  else
    id.then(start, (error: unknown) => {
      queue.fail(error);
    });
  return queue;
}

/** Callbacks for the publications of a topic. */
interface Listening {
  readonly onPayload: (payload: unknown) => void;
  readonly onLoss: () => void;
}

function listenToSubscription<T>(
  subscription: StreamSubscription,
  { onPayload, onLoss }: Listening,
  queue: ItemQueue<T>,
): () => void {
  const onPublication = ({ data }: { readonly data: unknown }) => onPayload(payloadOf(data));
  const onSubscribed = ({
    wasRecovering,
    recovered,
  }: {
    readonly wasRecovering?: boolean;
    readonly recovered?: boolean;
  }) => {
    if (wasRecovering === true && recovered !== true) onLoss();
  };
  const onUnsubscribed = () => queue.fail(unsubscribed());
  subscription.on('publication', onPublication);
  subscription.on('subscribed', onSubscribed);
  subscription.on('unsubscribed', onUnsubscribed);
  return () => {
    subscription.removeListener('publication', onPublication);
    subscription.removeListener('subscribed', onSubscribed);
    subscription.removeListener('unsubscribed', onUnsubscribed);
  };
}

function listenToSocket<T>(
  { socket, topic }: TopicOfSocket,
  { onPayload, onLoss }: Listening,
  queue: ItemQueue<T>,
): () => void {
  const onMessage = (event: { readonly data: unknown }) => {
    const frame = parsedFrame(event);
    if (frame === undefined) return;
    const { type, payload } = frame;
    if (frame['topic'] === topic) onPayload(payload);
    else if (type === 'realtime:unsubscribed' && isAbout(payload, topic)) queue.fail(unsubscribed());
    else if (type === 'realtime:subscribed' && isAbout(payload, topic) && isUnrecovered(payload)) onLoss();
  };
  const onClose = () => queue.fail(disconnected());
  if (socket.readyState > OPEN) {
    onClose();
    return () => undefined;
  }
  socket.addEventListener('message', onMessage);
  socket.addEventListener('close', onClose);
  return () => {
    socket.removeEventListener('message', onMessage);
    socket.removeEventListener('close', onClose);
  };
}

function unsubscribed(): RealtimeStreamError {
  return new RealtimeStreamError('UNSUBSCRIBED', 'The subscription ended.');
}

function payloadOf(message: unknown): unknown {
  return (message as { readonly payload?: unknown } | null | undefined)?.payload;
}

function isUnrecovered(payload: unknown): boolean {
  return (payload as { readonly recovered?: unknown }).recovered === false;
}

function isAbout(payload: unknown, topic: string): boolean {
  return (payload as { readonly topic?: unknown } | null | undefined)?.topic === topic;
}

function isPiece(payload: unknown): payload is Piece {
  if (typeof payload !== 'object' || payload === null) return false;
  const { id, items, end, error } = payload as Readonly<Record<string, unknown>>;
  return typeof id === 'string' && (Array.isArray(items) || end === true || typeof error === 'string');
}
