import type { RealtimeConnection } from './connection.js';

/** What happened to the connections of this node, and to users. */
export type RealtimeEvent =
  | { readonly type: 'connected'; readonly connection: RealtimeConnection }
  | {
      readonly type: 'disconnected';
      readonly connection: RealtimeConnection;
      /** Close code and reason, as they stood in the close frame; 1005 when it had none, 1006 when there was no frame. */
      readonly code: number;
      readonly reason: string;
    }
  | { readonly type: 'subscribed'; readonly connection: RealtimeConnection; readonly topic: string }
  | { readonly type: 'unsubscribed'; readonly connection: RealtimeConnection; readonly topic: string }
  /** With `presence.online`: the user has a connection now and had none, on whichever node. One node in all tells it. */
  | { readonly type: 'online'; readonly userId: string }
  /** With `presence.online`: the user has had no connection for `presence.graceMs`. One node in all tells it. */
  | { readonly type: 'offline'; readonly userId: string };
