/** Most bytes of a key set. Those of large providers have some ten thousand. */
const MAX_BYTES = 262_144;

/** A provider that cannot be asked, or whose answer is no key set. Its text holds nothing of the answer. */
export class KeySetError extends Error {
  override readonly name = 'KeySetError';
}

/**
 * Asks a provider for its keys. Redirects are not followed: where keys come from is for the configuration alone to say.
 * @param timeoutMs how long it may take, to the last byte
 * @returns what the provider answered, as JSON
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
  // Unlike toString(), it leaves a byte order mark out.
  return JSON.parse(new TextDecoder().decode(Buffer.concat(chunks))) as unknown;
}

function described(error: unknown, timeoutMs: number): string {
  const { name, cause } = error as Error;
  if (name === 'TimeoutError') return `did not answer within ${timeoutMs} ms`;
  if (name === 'SyntaxError') return 'answered with what is no JSON';
  return `could not be reached (${(cause as NodeJS.ErrnoException | undefined)?.code ?? name})`;
}
