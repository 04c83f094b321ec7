import type { Address } from './address.js';
import type { RealtimeConnection } from '../connection/connection.js';
import type { AddressedMessage, Envelope } from './envelope.js';

/** The destination of an envelope: addresses and exceptions. */
export type Addressing = Pick<Envelope, 'to' | 'except'>;

/** Resolves an address to connections by an index, so that the cost depends on the size of the result. */
export interface RecipientIndex {
  /** Ids of the connections that the address names. The set may belong to the index: do not change it. */
  idsOf(address: Address): ReadonlySet<string>;
}

const NOBODY: ReadonlySet<string> = new Set();

/**
 * Returns the connections that an envelope reaches, each once. For a single address without exceptions it returns the
 * index's own set, so that fan-out allocates nothing per recipient.
 */
export function recipientsOf({ to, except }: Addressing, index: RecipientIndex): ReadonlySet<string> {
  const [first] = to;
  if (first === undefined) return NOBODY;
  const single = index.idsOf(first);
  if (to.length === 1 && except.length === 0) return single;
  const union = new Set(single);
  for (let i = 1; i < to.length; i++) for (const id of index.idsOf(to[i]!)) union.add(id);
  for (const address of except) {
    // Looking up a connection would make a set for it.
    if (address.kind === 'connection') union.delete(address.id);
    else for (const id of index.idsOf(address)) union.delete(id);
  }
  return union;
}

/** True if the address names the connection; `topicsOf` returns the topics that the connection is subscribed to. */
export function matches(
  connection: RealtimeConnection,
  address: Address,
  topicsOf: (connectionId: string) => ReadonlySet<string> = () => NOBODY,
): boolean {
  switch (address.kind) {
    case 'all':
      return true;
    case 'user':
      return connection.userId === address.id;
    case 'role':
      return connection.roles.has(address.id);
    case 'connection':
      return connection.id === address.id;
    case 'topic':
      return topicsOf(connection.id).has(address.id);
  }
}

/** True if the connection matches one of the addresses and none of the exceptions. */
export function reaches(
  { to, except }: Addressing,
  connection: RealtimeConnection,
  topicsOf?: (connectionId: string) => ReadonlySet<string>,
): boolean {
  const matched = (address: Address) => matches(connection, address, topicsOf);
  return to.some(matched) && !except.some(matched);
}

/** Returns the connections of a list that a message reaches, each once; the reference for {@link recipientsOf}. */
export function routeToConnections(
  addressing: Addressing,
  connections: Iterable<RealtimeConnection>,
  topicsOf?: (connectionId: string) => ReadonlySet<string>,
): RealtimeConnection[] {
  const reached = new Map<string, RealtimeConnection>();
  for (const connection of connections) {
    if (!reached.has(connection.id) && reaches(addressing, connection, topicsOf))
      reached.set(connection.id, connection);
  }
  return [...reached.values()];
}

/** Returns the ids of the connections of a list that a message reaches, each once. */
export function routeToIds(
  addressing: Addressing,
  connections: Iterable<RealtimeConnection>,
  topicsOf?: (connectionId: string) => ReadonlySet<string>,
): string[] {
  return routeToConnections(addressing, connections, topicsOf).map(({ id }) => id);
}

/** Returns the messages of a list that reach a connection, in order. */
export function messagesReaching<M extends AddressedMessage>(
  messages: readonly M[],
  connection: RealtimeConnection,
  topicsOf?: (connectionId: string) => ReadonlySet<string>,
): M[] {
  return messages.filter((message) => reaches(message, connection, topicsOf));
}
