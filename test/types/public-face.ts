import type {
  Presence,
  PresenceMember,
  PublishOptions,
  RealtimeConnection,
  RealtimeModuleAsyncOptions,
  RealtimeModuleOptions,
  RealtimeOptionsFactory,
  RealtimeUser,
  Identity,
  SendOptions,
} from 'nestjs-realtime';
import type { BusPublishOptions, HistoryPublishOptions, MessageBus, MessageBusNode } from 'nestjs-realtime/ports';

/*
 * The types that applications and authors of adapters name. Nothing runs here: a type that is missing or has another shape does
 * not compile.
 */

type IsSame<A, B> = [A, B] extends [B, A] ? true : never;

/** Options that an application keeps in a variable or a class of its own. */
export type Kept = [
  RealtimeModuleOptions,
  RealtimeModuleAsyncOptions,
  RealtimeOptionsFactory,
  SendOptions,
  PublishOptions,
];
export type KeptByAdapters = [BusPublishOptions, HistoryPublishOptions];

/** Presence has the shape of the plain protocol. */
export const presence: IsSame<
  { [K in keyof Presence]: Presence[K] },
  {
    readonly users: readonly PresenceMember[];
    readonly topic: string;
    readonly userCount: number;
    readonly connectionCount: number;
  }
> = true;
export const member: IsSame<
  { [K in keyof PresenceMember]: PresenceMember[K] },
  { readonly userId: string; readonly info?: unknown; readonly connections: number }
> = true;

/** Roles and permissions are sets wherever the package gives them out. */
type Rights = { readonly roles: ReadonlySet<string>; readonly permissions: ReadonlySet<string> };
export const rights: [
  IsSame<Pick<RealtimeConnection, keyof Rights>, Rights>,
  IsSame<Pick<RealtimeUser, keyof Rights>, Rights>,
  IsSame<Pick<Identity, keyof Rights>, Rights>,
] = [true, true, true];

/** A bus is opened with one object. */
export const open: IsSame<Parameters<MessageBus['open']>, [node: MessageBusNode]> = true;
