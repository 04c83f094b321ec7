/** To whom messages are published: all connections, the subscribers of a topic chosen at random each time, of one topic, or of
 * a topic with subscribers on the last node only, chosen at random each time. */
export type Audience = 'everybody' | 'a random topic' | 'one topic' | 'a topic of the last node';

/** An action on a crowd. */
export type Deed =
  /** Messages are published so that `outstanding` of them are always incompletely delivered. */
  | { readonly kind: 'publish'; readonly to: Audience; readonly outstanding: number }
  /** Messages are published by the clock. */
  | PaceDeed
  /** Every connection asks, waits for the answer, and asks again. */
  | { readonly kind: 'ask'; readonly handler: Handler }
  | StreamDeed
  | Exercise
  /** So many are in the first topic; they leave it and come back, one after the other, as soon as the last change was answered. */
  | { readonly kind: 'alternate'; readonly members: number };

/** Messages are published by the clock, so many a second. */
export interface PaceDeed {
  readonly kind: 'pace';
  readonly to: Audience;
  readonly perSecond: number;
  /** True if servers may leave out some of them: none counts as lost. */
  readonly isLossy?: true;
}

/** Streams run by the clock, each with so many items a second: one of a handler for each connection, or one in each topic. */
export interface StreamDeed {
  readonly kind: 'stream';
  readonly from: StreamOrigin;
  readonly perSecond: number;
  /** Size of the text of an item. Default: that of a message. */
  readonly itemBytes?: number;
  /** Of so many readers one does not read, once the streams have begun. Default: all read. */
  readonly stallsEvery?: number;
}

/** A handler that each reader has called, or a topic that readers have subscribed to. */
export type StreamOrigin = 'handlers' | 'topics';

/** An action without a fixed duration. */
export type Exercise =
  /** All go, so much is published to each topic meanwhile, and all come back for it at once. */
  | { readonly kind: 'recover'; readonly missed: number }
  /** So many come into the first topic at once. */
  | { readonly kind: 'storm'; readonly members: number }
  /** All leave the first topic at once but so many. */
  | { readonly kind: 'thin'; readonly members: number }
  /** One client outside the crowd asks by the clock, while something happens to all the others at once. */
  | { readonly kind: 'bystand'; readonly during: Commotion }
  /** So much is published to each of so many topics, none of which has a subscriber. */
  | { readonly kind: 'keep'; readonly streams: number; readonly publications: number };

/**
 * What happens to all clients but one: messages are sent to everybody, one after the other; all enter a topic; nine in ten
 * leave it; all are judged again, because their rights have changed; all come back after their connections have ended.
 */
export type Commotion = 'broadcasts' | 'joins' | 'leaves' | 'judgements' | 'a return';

/** For how long, in milliseconds. */
export interface Timing {
  readonly warmUpMs: number;
  readonly durationMs: number;
}

/** A part of a workload. */
export type Phase = (Exclude<Deed, Exercise> & Timing) | Exercise;

/** A handler of the server that answers with what it was given: as it is, or behind a guard and a `ValidationPipe`. */
export type Handler = 'plain' | 'checked';

/** One server, one crowd of clients, and what is done with them. */
export interface Workload {
  readonly name: string;
  /** The quantity that grows from one workload to the next. */
  readonly grows?: 'connections' | 'topics' | 'nodes';
  /** On how many nodes, with Redis between them; left out: one server without Redis. Messages are published on the first. */
  readonly nodes?: number;
  /** Clients are on all nodes, equally many on each. Default: all are on the last. */
  readonly isSpread?: boolean;
  readonly connections: number;
  readonly topics: number;
  readonly subscribersPerTopic: number;
  /** How many of the connections are told who comes into the first topic and who leaves it; they are in it before all others. */
  readonly watchers?: number;
  /** Names of the rows that it is about. Default: all. */
  readonly rows?: readonly string[];
  /** Left out when it has to be quick, unless it was chosen. */
  readonly isLong?: boolean;
  /** How often it is repeated at most. */
  readonly repetitions?: number;
  readonly phases: readonly Phase[];
}

/** Names what is done, for results and tables. */
export function nameOf(deed: Deed): string {
  switch (deed.kind) {
    case 'publish':
      return `publish to ${deed.to}, ${deed.outstanding} outstanding`;
    case 'pace':
      return `publish to ${deed.to}, ${deed.perSecond} a second${deed.isLossy ? ', some may be left out' : ''}`;
    case 'ask':
      return `ask, ${deed.handler} handler`;
    case 'stream':
      return nameOfStream(deed);
    case 'recover':
      return `recover ${deed.missed} missed messages`;
    case 'storm':
      return `a storm of ${deed.members} members`;
    case 'thin':
      return `all leave but ${deed.members} members`;
    case 'bystand':
      return `a bystander during ${deed.during}`;
    case 'alternate':
      return `come and go among ${deed.members} members`;
    case 'keep':
      return `keep ${deed.publications} publications in each of ${deed.streams} topics`;
    default:
      return deed satisfies never;
  }
}

function nameOfStream({ from, perSecond, itemBytes, stallsEvery }: StreamDeed): string {
  const size = itemBytes === undefined ? '' : ` of ${itemBytes} bytes`;
  const stalls = stallsEvery === undefined ? '' : `, one in ${stallsEvery} readers stalls`;
  return `streams from ${from}, ${perSecond} items${size} a second each${stalls}`;
}

/** The topics that a connection subscribes to: each topic gets its subscribers, spread over the crowd. */
export function topicsOf(connection: number, { connections, topics, subscribersPerTopic }: Workload): string[] {
  const names = [];
  for (let nth = connection; nth < topics * subscribersPerTopic; nth += connections) {
    names.push(topicName(Math.floor(nth / subscribersPerTopic)));
  }
  return names;
}

export function topicName(topic: number): string {
  return `room:${topic}`;
}
