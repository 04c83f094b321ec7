import type { RealtimeConnection } from './connection.js';

/** What happened to the connections of this node. */
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
  | { readonly type: 'unsubscribed'; readonly connection: RealtimeConnection; readonly topic: string };
