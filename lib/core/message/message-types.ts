/**
 * The application's message types and their payloads. Declare them once and every send is checked:
 *
 * ```ts
 * declare module 'nestjs-realtime' {
 *   interface RealtimeMessages {
 *     'order.created': { id: string; total: number };
 *   }
 * }
 * ```
 *
 * A type that is not declared may carry anything.
 * @publicApi
 */
// An interface, so that applications can add to it.
// oxlint-disable-next-line typescript/no-empty-object-type
export interface RealtimeMessages {}

/**
 * A message as it is handed to a send: with a declared type, its payload must be of the declared shape.
 * @publicApi
 */
export type MessageInput<T extends string = string> = {
  readonly type: T;
  readonly timestamp?: string;
} & (T extends keyof RealtimeMessages ? { readonly payload: RealtimeMessages[T] } : { readonly payload?: unknown });
