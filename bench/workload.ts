/** To whom messages are published: all connections, the subscribers of a topic chosen anew each time, of one topic, or of
 * a topic that only the last node has subscribers of, chosen anew each time. */
export type Audience = 'everybody' | 'a random topic' | 'one topic' | 'a topic of the last node';

/** What is done with a crowd. */
export type Deed =
  /** Messages are published so that always `outstanding` of them have not reached everybody yet. */
  | { readonly kind: 'publish'; readonly to: Audience; readonly outstanding: number }
  /** Messages are published by the clock. */
  | { readonly kind: 'pace'; readonly to: Audience; readonly perSecond: number }
  /** Every connection asks, waits for the answer, and asks again. */
  | { readonly kind: 'ask'; readonly handler: Handler };

/** For how long, in milliseconds. */
export interface Timing {
  readonly warmUpMs: number;
  readonly durationMs: number;
}

/** A part of a workload. */
export type Phase = Deed & Timing;

/** A handler of the server that answers with what it was given: as it is, or behind a guard and a `ValidationPipe`. */
export type Handler = 'plain' | 'checked';

/** One server, one crowd of clients, and what is done with them. */
export interface Workload {
  readonly name: string;
  /** What changes from one workload to the next when costs are looked at as they grow. */
  readonly grows?: 'connections' | 'topics' | 'nodes';
  /** On how many nodes, with Redis between them; left out: one server without Redis. Messages are published on the first. */
  readonly nodes?: number;
  /** Clients are on all nodes, equally many on each. Default: all are on the last. */
  readonly isSpread?: boolean;
  readonly connections: number;
  readonly topics: number;
  readonly subscribersPerTopic: number;
  readonly phases: readonly Phase[];
}

/** Names what is done, for results and tables. */
export function nameOf(deed: Deed): string {
  switch (deed.kind) {
    case 'publish':
      return `publish to ${deed.to}, ${deed.outstanding} outstanding`;
    case 'pace':
      return `publish to ${deed.to}, ${deed.perSecond} a second`;
    case 'ask':
      return `ask, ${deed.handler} handler`;
    default:
      return deed satisfies never;
  }
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
