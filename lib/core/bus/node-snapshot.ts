import type { RecentKind } from '../base/recent-kinds.js';
import type { TailEntry } from '../message/topic-tails.js';
import type { NodeCounts } from './node-info.js';

/** The holdings and the state of one node at one moment. Times are milliseconds since 1970. */
export interface NodeSnapshot {
  readonly nodeId: string;
  readonly at: number;
  readonly startedAt: number;
  readonly counts: NodeCounts;
  /** The health of the node, with the reasons. */
  readonly health: NodeHealth;
  /** Missing until two readings have been taken. */
  readonly rates?: MessageRates;
  /** Unsent bytes of all send queues. */
  readonly queueBytes: number;
  /** Delay of the event loop that 99 of 100 timers stay below, in milliseconds. */
  readonly loopDelayMs: number;
  readonly traffic: readonly Traffic[];
  readonly closes: readonly RecentKind<CloseEvent>[];
  readonly refusals: readonly RecentKind<RefusalEvent>[];
  /** Messages of the topic that is watched; missing if none is. */
  readonly tail?: readonly TailEntry[];
}

/** The health of a node. */
export interface NodeHealth {
  readonly status: 'up' | 'degraded' | 'down';
  /** The reasons why it is not up. */
  readonly reasons: readonly string[];
}

/** Messages per second. */
export interface MessageRates {
  /** Messages to connections: a message counts once for each connection that it reaches. */
  readonly sent: number;
  /** Messages from clients. */
  readonly received: number;
}

/** The messages to one kind of address; those to topics by pattern. */
export interface Traffic {
  /** `topic`, `user`, `role`, `connection`, `all`, or `several`. */
  readonly address: string;
  /** The pattern of the topics, as it was declared; empty for other addresses. */
  readonly pattern: string;
  /** Since the node was started. */
  readonly sent: number;
  readonly received: number;
  readonly rates?: MessageRates;
}

/** One closed WebSocket. */
export interface CloseEvent {
  readonly at: number;
  readonly code: number;
  /** The reason from the closing side, which may be a client. */
  readonly reason: string;
  readonly byServer: boolean;
  /** Missing if it was never authenticated. */
  readonly userId?: string;
  /** IP address of the client, if known. */
  readonly address?: string;
}

/** One refused upgrade request. */
export interface RefusalEvent {
  readonly at: number;
  readonly status: number;
  readonly reason: string;
  /** IP address of the client, if known. */
  readonly address?: string;
}
