import type { Address } from './address.js';
import type { RealtimeConnection } from '../connection/connection.js';
import type { AddressedMessage, Envelope } from './envelope.js';

/** Where something goes: the addresses, and those left out. */
export type Addressing = Pick<Envelope, 'to' | 'except'>;

/** Tells which connections an address stands for. Indexed, so that an answer costs its size and not a search. */
export interface RecipientIndex {
  /** Ids of the connections behind the address; the set may be the index's own and must not be kept or changed. */
  idsOf(address: Address): ReadonlySet<string>;
}

const NOBODY: ReadonlySet<string> = new Set();

/**
 * The connections an envelope reaches, each once. With a single address and no exception the index's own set is
 * returned: nothing is allocated per recipient.
 */
export function recipientsOf({ to, except }: Addressing, index: RecipientIndex): ReadonlySet<string> {
  const [first] = to;
  if (first === undefined) return NOBODY;
  const single = index.idsOf(first);
  if (to.length === 1 && except.length === 0) return single;
  const union = new Set(single);
  for (let i = 1; i < to.length; i++) for (const id of index.idsOf(to[i]!)) union.add(id);
  for (const address of except) for (const id of index.idsOf(address)) union.delete(id);
  return union;
}

/** Says whether one connection is behind an address; `topicsOf` tells the topics it is subscribed to. */
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

/** True when the connection matches one of the addresses and none of the exceptions. */
export function reaches(
  { to, except }: Addressing,
  connection: RealtimeConnection,
  topicsOf?: (connectionId: string) => ReadonlySet<string>,
): boolean {
  const matched = (address: Address) => matches(connection, address, topicsOf);
  return to.some(matched) && !except.some(matched);
}

/** The connections of a list that a message reaches, each once: the definition that the indexed way must agree with. */
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

/** The ids of the connections of a list that a message reaches, each once. */
export function routeToIds(
  addressing: Addressing,
  connections: Iterable<RealtimeConnection>,
  topicsOf?: (connectionId: string) => ReadonlySet<string>,
): string[] {
  return routeToConnections(addressing, connections, topicsOf).map(({ id }) => id);
}

/** The messages of a list that reach a connection, in their order. */
export function messagesReaching<M extends AddressedMessage>(
  messages: readonly M[],
  connection: RealtimeConnection,
  topicsOf?: (connectionId: string) => ReadonlySet<string>,
): M[] {
  return messages.filter((message) => reaches(message, connection, topicsOf));
}
