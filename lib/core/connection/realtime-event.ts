import type { RealtimeConnection } from './connection.js';

/** An event in the life of a connection of this node, or of a user. */
export type RealtimeEvent =
  | { readonly type: 'connected'; readonly connection: RealtimeConnection }
  | {
      readonly type: 'disconnected';
      readonly connection: RealtimeConnection;
      /** Close code and reason of the close frame; code 1005 if the frame had none, 1006 if there was no frame. */
      readonly code: number;
      readonly reason: string;
    }
  | { readonly type: 'subscribed'; readonly connection: RealtimeConnection; readonly topic: string }
  | { readonly type: 'unsubscribed'; readonly connection: RealtimeConnection; readonly topic: string }
  /** With `presence.online`: the user had no connection on any node and has one now. Exactly one node emits it. */
  | { readonly type: 'online'; readonly userId: string }
  /** With `presence.online`: the user had no connection for the grace period, `presence.graceMs`. Exactly one node emits it. */
  | { readonly type: 'offline'; readonly userId: string };
