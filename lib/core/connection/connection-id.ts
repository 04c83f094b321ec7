/**
 * Returns the connection id `<node>.<random>`; neither part contains a dot. Because the id names the node, a message to
 * one connection is routed to one node without a lookup.
 */
export function connectionIdOn(nodeId: string, random: string): string {
  return `${nodeId}.${random}`;
}

/** Returns the node that holds the connection, or `undefined` for an id that no node can have issued. */
export function nodeOf(connectionId: string): string | undefined {
  return /^([^.]+)\.[^.]+$/.exec(connectionId)?.[1];
}

/** True for a valid node id: 1 to 64 letters, digits, `_` or `-`. */
export function isNodeId(value: unknown): value is string {
  return typeof value === 'string' && /^[\w-]{1,64}$/.test(value);
}
