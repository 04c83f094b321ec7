import { Centrifuge, type ClientEvents, type Options, type Subscription, type SubscriptionEvents } from 'centrifuge';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { IS_PROTOBUF } from './sdk-form.js';

const DEADLINE_MS = 4_500;

/** The other build of the SDK is large: it is loaded where it is used. */
const Sdk = IS_PROTOBUF ? (await import('./json-over-protobuf.js')).JsonOverProtobuf : Centrifuge;

/** The real SDK, in the form of the test's project, for the path below `/ws`, with short delays; it is disconnected when the test has finished, or as `finished` says. */
export function sdkFor(
  { url }: { readonly url: string },
  options: Partial<Options> = {},
  finished: (end: () => void) => void = onTestFinished,
): Centrifuge {
  const client = new Sdk(`${url.replace('http', 'ws')}/ws/connection/websocket`, {
    websocket: WebSocket,
    minReconnectDelay: 5,
    maxReconnectDelay: 50,
    ...options,
  });
  // Without a listener the emitter throws.
  client.on('error', () => undefined);
  finished(() => client.disconnect());
  return client;
}

/** Connects, and waits until the server has answered. */
export async function connected(client: Centrifuge): Promise<Centrifuge> {
  const done = next(client, 'connected');
  client.connect();
  await done;
  return client;
}

/** A subscription of the client, which the server has confirmed. */
export async function subscribed(client: Centrifuge, channel: string): Promise<Subscription> {
  const subscription = client.newSubscription(channel);
  const done = nextOf(subscription, 'subscribed');
  subscription.subscribe();
  await done;
  return subscription;
}

/** Resolves with the next event of a client. */
export function next<E extends keyof ClientEvents>(
  client: Centrifuge,
  event: E,
): Promise<Parameters<ClientEvents[E]>[0]> {
  return inTime(event, (resolve) => client.once(event, resolve as never));
}

/** Resolves with the next event of a subscription. */
export function nextOf<E extends keyof SubscriptionEvents>(
  subscription: Subscription,
  event: E,
): Promise<Parameters<SubscriptionEvents[E]>[0]> {
  return inTime(event, (resolve) => subscription.once(event, resolve as never));
}

function inTime<T>(event: string, listen: (resolve: (value: T) => void) => void): Promise<T> {
  const late = new Error(`No "${event}" within ${DEADLINE_MS} ms`);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(late), DEADLINE_MS);
    listen((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
