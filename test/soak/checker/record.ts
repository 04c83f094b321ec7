import type { Position, Records } from '../../resuming/journal.js';

/** A name of a guarantee that did not hold. */
export type Kind =
  /** An acknowledged publication is missing at a client that was told to have everything. */
  | 'lost'
  | 'duplicated'
  | 'reordered'
  /** Publications are missing in front of one that arrived, and the client was not told. */
  | 'silent gap'
  /** Two things were said that cannot both be true, such as two publications at one position of an epoch. */
  | 'contradicted'
  /** The same idempotency key was given two positions of one epoch. */
  | 'key used twice'
  /** A report tells of recipients that there were not, or is complete and leaves some out. */
  | 'untrue report'
  /** A connection outlived a `disconnect()` that was reported as complete. */
  | 'order outlived'
  /** A watcher was told of the same join, leave or info twice. */
  | 'told twice'
  /** Somebody is seen in a topic who is not there. */
  | 'ghost'
  /** Somebody is in a topic, and is not seen there. */
  | 'missing member'
  /** Somebody is seen with an info that is not the newest. */
  | 'wrong info'
  /** The calls of `@OnJoin()` and `@OnLeave()` for a user, or the events `online` and `offline`, do not add up to whether the user is there. */
  | 'hooks out of balance'
  /** Something is left in Redis or in a node after everybody has gone. */
  | 'leaked'
  /** A node ended by itself, or something did not come back after the faults. */
  | 'broken';

/** A guarantee that did not hold. Moments are milliseconds since the run began. */
export interface Finding {
  readonly kind: Kind;
  readonly what: string;
  /** When it happened, if that is known. */
  readonly at?: number;
}

/** A message to a topic without a history. */
export interface Sending {
  readonly key: string;
  /** Its publisher makes one call after the other, so its numbers are in the order of the topic. */
  readonly publisher: string;
  readonly number: number;
  /** The process id of the node that was called. */
  readonly node: number;
  readonly begun: number;
  readonly ended: number;
  /** Missing when the call failed. */
  readonly report?: { readonly recipients: number; readonly complete: boolean };
}

/** One subscription of a client to the topic without a history, and what came in it. */
export interface Visit {
  readonly client: string;
  /** The process id of the node. */
  readonly node: number;
  /** When it asked to subscribe. */
  readonly asked: number;
  /** When it was told that it is subscribed; missing when it never was. */
  readonly opened?: number;
  /** When the connection ended; missing when it was open at the end. */
  readonly closed?: number;
  readonly arrivals: readonly string[];
}

/** A time in which a node was cut off, or halted. */
export interface Absence {
  readonly node: number;
  readonly from: number;
  /** When the fault was over. */
  readonly over: number;
  /** When it was attached again, at the latest. */
  readonly to: number;
}

/** A moment at which a node began to be attached to Redis, or to be detached, as it says itself. */
export interface Attachment {
  readonly node: number;
  readonly kind: 'attached' | 'detached';
  readonly at: number;
}

/** A loss of data, at an unknown moment between these two. */
export interface Loss {
  readonly from: number;
  readonly over: number;
}

/** A time in which the run itself stood still, and noticed nothing. */
export interface Stall {
  readonly from: number;
  readonly over: number;
}

/** News of presence that a watcher got over one subscription. */
export interface News {
  /** The watcher and the number of its subscription. */
  readonly visit: string;
  readonly kind: 'joined' | 'left' | 'updated' | 'reset';
  /** Missing of a reset. */
  readonly userId?: string;
  /** Missing if there is none. */
  readonly info?: string;
  readonly at: number;
}

/** Who is in a topic in the end, as somebody sees it. */
export interface Picture {
  /** The watcher, or the node that was asked by `usersIn()`. */
  readonly seenBy: string;
  readonly topic: string;
  readonly users: readonly string[];
  /** The infos of the users who have one. */
  readonly infos: Readonly<Record<string, string>>;
}

/** An info of a user that a connection or the application gave. No two are equal. */
export interface InfoGiven {
  readonly topic: string;
  readonly userId: string;
  readonly info: string;
  /** The number of the connection; missing when the application gave it. */
  readonly connection?: number;
  readonly asked: number;
  /** When it was acknowledged; missing when nobody knows whether it was taken. */
  readonly taken?: number;
  /** When the connection left the topic or ended; missing when it was there in the end. */
  readonly gone?: number;
}

/** A call of `@OnJoin()` or `@OnLeave()`, or an event `online` or `offline`, on whichever node. */
export interface HookCall {
  readonly kind: 'joined' | 'left';
  /** {@link ONLINE} for the events. */
  readonly topic: string;
  readonly userId: string;
  readonly at: number;
}

/** Stands for the topic of the events `online` and `offline`. */
export const ONLINE = '(online)';

/** A `disconnect()` of a user. */
export interface Order {
  readonly userId: string;
  readonly begun: number;
  readonly ended: number;
  /** False when the report was not complete, or the call failed. */
  readonly complete: boolean;
}

/** A connection of a user whom orders disconnect. */
export interface Stay {
  readonly userId: string;
  /** The process id of the node. */
  readonly node: number;
  /** When it was welcomed. */
  readonly opened: number;
  /** When it was ended; missing when nobody ended it. */
  readonly closed?: number;
  /** When the client left by itself; missing when it did not. */
  readonly left?: number;
}

/** An idempotency key that was published again after it had been acknowledged. */
export interface Repetition {
  readonly key: string;
  readonly first: Position;
  readonly again: Position;
  readonly at: number;
}

/** What a node has when all clients have gone. */
export interface LeftInNode {
  /** Its process id. */
  readonly node: number;
  /** Sessions and sockets in its memory after a garbage collection. */
  readonly objects: number;
  /** Sockets that its HTTP server has open. */
  readonly clientSockets: number;
  /** All others, which are those to Redis. */
  readonly otherSockets: number;
  /** How many servers it may have to connect to. */
  readonly servers: number;
}

/** What is there when all clients have gone. */
export interface LeftWithoutClients {
  readonly nodes: readonly LeftInNode[];
  /** What `counts()` answers. */
  readonly counts: Readonly<Record<string, number>>;
  /** The channels of users and topics that nodes are still subscribed to. */
  readonly channels: readonly string[];
  /** Why it could not be looked at. */
  readonly unseen: readonly string[];
}

/** What is in Redis when all nodes are closed. */
export interface LeftWithoutNodes {
  /** All keys; `ttlMs` is how long each still lives, in milliseconds, -1: for ever. */
  readonly keys: readonly { readonly name: string; readonly ttlMs: number }[];
  /** The channels that somebody is subscribed to. */
  readonly channels: readonly string[];
  /** Why it could not be looked at. */
  readonly unseen: readonly string[];
}

/** All that was written down in a run; the only thing that the checker looks at. */
export interface RunRecord {
  /** Of each topic with a history. */
  readonly logs: ReadonlyMap<string, Records>;
  readonly repetitions: readonly Repetition[];
  readonly sendings: readonly Sending[];
  readonly visits: readonly Visit[];
  readonly absences: readonly Absence[];
  readonly attachments: readonly Attachment[];
  readonly stalls: readonly Stall[];
  /** How long a node that says nothing is counted as there, in milliseconds. */
  readonly leaseMs: number;
  readonly news: readonly News[];
  /** Who is in each topic in the end, by those who are. */
  readonly present: ReadonlyMap<string, readonly string[]>;
  readonly pictures: readonly Picture[];
  readonly infos: readonly InfoGiven[];
  /** Who is connected in the end. */
  readonly online: readonly string[];
  readonly hooks: readonly HookCall[];
  /** When Redis lost data: it came back without them, with older data, or another server took over. In their order. */
  readonly losses: readonly Loss[];
  /** When nodes ended, by themselves or by a fault. */
  readonly ends: readonly number[];
  readonly orders: readonly Order[];
  readonly stays: readonly Stay[];
  /** When all clients had gone. */
  readonly withoutClients: LeftWithoutClients;
  /** When all nodes were closed. */
  readonly withoutNodes: LeftWithoutNodes;
  /** Nodes that ended by themselves, and what did not come back after the faults. */
  readonly breaks: readonly { readonly what: string; readonly at: number }[];
}

/** Told of each finding. */
export type Find = (kind: Kind, what: string, at?: number) => void;
