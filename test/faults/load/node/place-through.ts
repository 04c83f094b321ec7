import type { RedisBackendOptions } from 'nestjs-realtime/redis';

/** By the address of a server, `127.0.0.1:6379`, the address at which it is reached. */
export type Ways = Readonly<Record<string, { readonly host: string; readonly port: number }>>;

/** The same options, with servers reached on these ways; a function does not pass from process to process. */
export function placeThrough({ cluster, sentinel, ...options }: RedisBackendOptions, ways: Ways): RedisBackendOptions {
  return {
    ...options,
    ...(cluster && { cluster: { ...cluster, nodeAddressMap: ways } }),
    ...(sentinel && {
      sentinel: { ...sentinel, nodeAddressMap: (address) => ways[`${address.host}:${address.port}`] ?? address },
    }),
  };
}
