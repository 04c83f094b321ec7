/** The reply of a server of a Redis Cluster that has not executed a command, because the slot or its keys are elsewhere. */
export type Redirection =
  /** The slot belongs to another server for good (`moved`), or the keys have gone ahead to the next owner of it (`ask`). */
  | { readonly kind: 'moved' | 'ask'; readonly address: string }
  /** Some of the keys have gone ahead, and others not. */
  | { readonly kind: 'again' };

/**
 * The redirection that an error of {@link RedisConnection} is about; `undefined` for any other error.
 *
 * A redirected command may be sent again without the risk that it takes effect twice: a server looks for the slot and the
 * keys before it executes a command, or starts a script (Redis Cluster specification, "MOVED Redirection", "ASK redirection",
 * "Multiple keys operations").
 */
export function redirectionIn(error: unknown): Redirection | undefined {
  const { cause } = error as { cause?: unknown };
  return cause instanceof Error ? redirectionOf(cause.message) : undefined;
}

/** The redirection in the text of an error reply; `undefined` for any other error. */
export function redirectionOf(text: string): Redirection | undefined {
  if (text.startsWith('TRYAGAIN ')) return { kind: 'again' };
  const [, kind, address] = /^(MOVED|ASK) \d+ (\S*:\d+)$/.exec(text) ?? [];
  if (address === undefined) return undefined;
  return { kind: kind === 'ASK' ? 'ask' : 'moved', address };
}

/**
 * The address that a redirection names. Without a host, it is a port on the host of the server that has redirected (Redis Cluster
 * specification, "MOVED Redirection").
 * @param from the address of that server
 */
export function addressIn({ address }: { readonly address: string }, from: string): string {
  return address.startsWith(':') ? from.slice(0, from.lastIndexOf(':')) + address : address;
}
