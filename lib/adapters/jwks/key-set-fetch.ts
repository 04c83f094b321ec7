/** Maximum size of a key set in bytes. Large providers have about ten thousand. */
const MAX_BYTES = 262_144;

/** The failure to fetch a key set, or an answer that is not one. The text contains no part of the answer. */
export class KeySetError extends Error {
  override readonly name = 'KeySetError';
}

/**
 * Fetches the keys of a provider. Redirects are not followed: only the configuration determines the source of keys.
 * @param timeoutMs timeout of the whole fetch, including the body
 * @returns the parsed JSON of the answer
 * @throws KeySetError
 */
export async function fetchKeySet(url: URL, timeoutMs: number): Promise<unknown> {
  try {
    const response = await fetch(url, {
      headers: { accept: 'application/jwk-set+json, application/json' },
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    return await jsonOf(response);
  } catch (error) {
    throw error instanceof KeySetError ? error : new KeySetError(described(error, timeoutMs));
  }
}

async function jsonOf(response: Response): Promise<unknown> {
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new KeySetError(`answered with status ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new KeySetError(`answered with more than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  // Unlike toString(), TextDecoder drops a byte order mark.
  return JSON.parse(new TextDecoder().decode(Buffer.concat(chunks))) as unknown;
}

function described(error: unknown, timeoutMs: number): string {
  const { name, cause } = error as Error;
  if (name === 'TimeoutError') return `did not answer within ${timeoutMs} ms`;
  if (name === 'SyntaxError') return 'answered with invalid JSON';
  return `could not be reached (${(cause as NodeJS.ErrnoException | undefined)?.code ?? name})`;
}
