import type { CommandId } from './command.js';
import type { ErrorCode, WireError } from './error-code.js';
import type { Publication, StreamPosition } from '../history/history.js';
import type { Presence } from '../presence/presence.js';

/**
 * A frame from the server to a client other than a message, independent of the codec: news of the connection, joins and
 * leaves, and answers to commands.
 */
export type Push =
  | {
      readonly kind: 'welcome';
      /** Id of the command that carried the token, if a command did. */
      readonly answers?: CommandId;
      readonly connectionId: string;
      readonly userId: string;
      readonly expiresAt?: Date;
      readonly heartbeatMs: number;
      /** Omitted if there is no limit. */
      readonly maxMessageBytes?: number;
      /** The personal topic, in which messages to the user arrive as publications; fields as in `subscribed`. */
      readonly personal?: {
        readonly topic: string;
        readonly position: StreamPosition;
        readonly recovered?: boolean;
        readonly publications?: readonly Publication[];
      };
    }
  | { readonly kind: 'authenticated'; readonly id?: CommandId; readonly userId: string; readonly expiresAt?: Date }
  | { readonly kind: 'expiring'; readonly expiresAt: Date }
  | {
      readonly kind: 'subscribed';
      readonly id?: CommandId;
      readonly topic: string;
      /** For a topic with history: the position after which every publication arrives. */
      readonly position?: StreamPosition;
      /**
       * Answers a request to recover: true if all missed publications follow. False without a request: publications were
       * lost on the way to this subscription and cannot be recovered; the stream continues after `position`.
       */
      readonly recovered?: boolean;
      /** The first recovered publications, for a codec that puts them into the answer. Present only together with an `id`. */
      readonly publications?: readonly Publication[];
      /** True if the recovery failed and the client wanted no subscription then: there is none. */
      readonly isRefused?: boolean;
      /** True for a server-side subscription. */
      readonly byServer?: boolean;
      /** A value of the application for the client, if there is one. */
      readonly data?: unknown;
      /** Expiry of the topic token, if there is one. */
      readonly expiresAt?: Date;
    }
  | {
      readonly kind: 'unsubscribed';
      readonly id?: CommandId;
      readonly topic: string;
      readonly reason?: string;
      /** The error that ended the subscription; missing if the client or the application ended it. It tells whether the client may resubscribe. */
      readonly code?: ErrorCode;
    }
  | {
      readonly kind: 'history';
      readonly id?: CommandId;
      readonly topic: string;
      readonly top: StreamPosition;
      readonly publications: readonly Publication[];
      /** True if there are further publications in the range asked for, whatever its limit. */
      readonly more?: true;
    }
  | { readonly kind: 'joined'; readonly topic: string; readonly userId: string; readonly info?: unknown }
  | { readonly kind: 'left'; readonly topic: string; readonly userId: string; readonly info?: unknown }
  /** Another info is shown of the user. */
  | { readonly kind: 'updated'; readonly topic: string; readonly userId: string; readonly info?: unknown }
  /** Unknown changes were missed: a watcher has to read the presence of the topic again. */
  | { readonly kind: 'presence-reset'; readonly topic: string }
  /** Messages of a topic were left out, because the client did not take them. */
  | { readonly kind: 'dropped'; readonly topic: string; readonly count: number }
  | { readonly kind: 'presence'; readonly id: CommandId; readonly presence: Presence }
  | { readonly kind: 'reply'; readonly id: CommandId; readonly payload: unknown }
  | { readonly kind: 'complete'; readonly id: CommandId }
  | { readonly kind: 'pong'; readonly id?: CommandId }
  | { readonly kind: 'ping' }
  | { readonly kind: 'error'; readonly id?: CommandId; readonly error: WireError };

/** Returns true for what a client waits for: all but news that the server may send to many clients at once. */
export function isAnswer(push: Push): boolean {
  switch (push.kind) {
    case 'subscribed':
    case 'unsubscribed':
      return push.id !== undefined;
    case 'expiring':
    case 'joined':
    case 'left':
    case 'updated':
    case 'presence-reset':
    case 'dropped':
    case 'ping':
      return false;
    default:
      return true;
  }
}
