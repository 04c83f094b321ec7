/**
 * The application's message types and their payloads. Declare them once, and TypeScript checks every send:
 *
 * ```ts
 * declare module 'nestjs-realtime' {
 *   interface RealtimeMessages {
 *     'order.created': { id: string; total: number };
 *   }
 * }
 * ```
 *
 * A type that is not declared may carry any payload.
 * @publicApi
 */
// An interface, so that applications can add to it.
// oxlint-disable-next-line typescript/no-empty-object-type
export interface RealtimeMessages {}

/**
 * A message to send. If its type is declared, the payload must have the declared shape.
 * @publicApi
 */
export type MessageInput<T extends string = string> = {
  readonly type: T;
  readonly timestamp?: string;
} & (T extends keyof RealtimeMessages ? { readonly payload: RealtimeMessages[T] } : { readonly payload?: unknown });
