/**
 * A connection id carries its node, so that a message to one connection goes to one node and nobody has to be asked:
 * `<node>.<random>`, neither part holding a dot.
 */
export function connectionIdOn(nodeId: string, random: string): string {
  return `${nodeId}.${random}`;
}

/** The node that holds the connection, or `undefined` for an id that no node can have given out. */
export function nodeOf(connectionId: string): string | undefined {
  return /^([^.]+)\.[^.]+$/.exec(connectionId)?.[1];
}

/** True for what may be a node's name: 1 to 64 letters, digits, `_` or `-`. */
export function isNodeId(value: unknown): value is string {
  return typeof value === 'string' && /^[\w-]{1,64}$/.test(value);
}
