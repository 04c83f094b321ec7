import type { CommandId } from './command.js';
import type { WireError } from './error-code.js';
import type { Publication, StreamPosition } from '../history/history.js';
import type { Presence } from '../presence/presence.js';

/**
 * What the server tells a client beside messages, whatever its codec: about the connection itself, and who joins and leaves.
 */
export type Push =
  | {
      readonly kind: 'welcome';
      /** The command that led to it, when the token came with one. */
      readonly answers?: CommandId;
      readonly connectionId: string;
      readonly userId: string;
      readonly expiresAt?: Date;
      readonly heartbeatMs: number;
      /** Missing when there is no limit. */
      readonly maxMessageBytes?: number;
      /** The user's own topic, where what is sent to the user arrives as its publications: as in `subscribed`. */
      readonly personal?: { readonly topic: string; readonly position: StreamPosition; readonly recovered?: boolean };
    }
  | { readonly kind: 'authenticated'; readonly id?: CommandId; readonly userId: string; readonly expiresAt?: Date }
  | { readonly kind: 'expiring'; readonly expiresAt: Date }
  | {
      readonly kind: 'subscribed';
      readonly id?: CommandId;
      readonly topic: string;
      /** From where on everything arrives, in a topic that keeps a history. */
      readonly position?: StreamPosition;
      /**
       * Answers a wish to recover: true when everything that was missed follows. Unasked and false: publications were
       * missed on the way to this subscription and cannot be recovered; it goes on behind `position`.
       */
      readonly recovered?: boolean;
      /** True when the server began it, and not the client. */
      readonly byServer?: boolean;
      /** When the token for the topic ends, where there is one. */
      readonly expiresAt?: Date;
    }
  | {
      readonly kind: 'unsubscribed';
      readonly id?: CommandId;
      readonly topic: string;
      readonly reason?: string;
      /** True: its token has ended; with a new one the client may come back at once. */
      readonly expired?: boolean;
    }
  | {
      readonly kind: 'history';
      readonly id?: CommandId;
      readonly topic: string;
      readonly top: StreamPosition;
      readonly publications: readonly Publication[];
    }
  | { readonly kind: 'joined'; readonly topic: string; readonly userId: string; readonly info?: unknown }
  | { readonly kind: 'left'; readonly topic: string; readonly userId: string; readonly info?: unknown }
  | { readonly kind: 'presence'; readonly id: CommandId; readonly topic: string; readonly presence: Presence }
  | { readonly kind: 'reply'; readonly id: CommandId; readonly payload: unknown }
  | { readonly kind: 'complete'; readonly id: CommandId }
  | { readonly kind: 'pong'; readonly id?: CommandId }
  | { readonly kind: 'ping' }
  | { readonly kind: 'error'; readonly id?: CommandId; readonly error: WireError };
