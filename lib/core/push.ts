import type { CommandId } from './command.js';
import type { WireError } from './error-code.js';

/** What the server tells one client about the connection itself, whatever its codec. Messages go another way: once for all. */
export type Push =
  | {
      readonly kind: 'welcome';
      readonly connectionId: string;
      readonly userId: string;
      readonly expiresAt?: Date;
      readonly heartbeatMs: number;
      /** Missing when there is no limit. */
      readonly maxMessageBytes?: number;
    }
  | { readonly kind: 'authenticated'; readonly id?: CommandId; readonly userId: string; readonly expiresAt?: Date }
  | { readonly kind: 'expiring'; readonly expiresAt: Date }
  | { readonly kind: 'subscribed'; readonly id?: CommandId; readonly topic: string }
  | { readonly kind: 'unsubscribed'; readonly id?: CommandId; readonly topic: string; readonly reason?: string }
  | { readonly kind: 'reply'; readonly id: CommandId; readonly payload: unknown }
  | { readonly kind: 'complete'; readonly id: CommandId }
  | { readonly kind: 'pong'; readonly id?: CommandId }
  | { readonly kind: 'ping' }
  | { readonly kind: 'error'; readonly id?: CommandId; readonly error: WireError };
