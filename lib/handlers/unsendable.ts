type Loose = Readonly<Record<PropertyKey, unknown>>;

/**
 * Names bytes and files, which JSON would turn into something that no client expects, and the cure.
 * @returns nothing for everything else
 */
export function explainUnsendable(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (ArrayBuffer.isView(value) || Object.prototype.toString.call(value) === '[object ArrayBuffer]') {
    return 'bytes; send text, such as Buffer.from(bytes).toString("base64"), or decode a stream with pipeThrough(new TextDecoderStream())';
  }
  const { getStream, getHeaders } = value as Loose;
  if (typeof getStream !== 'function' || typeof getHeaders !== 'function') return undefined;
  return 'a StreamableFile, which is for HTTP; send a URL to download from, or its text';
}
