/** The number of slots of a Redis Cluster. */
const SLOTS = 16_384;

/**
 * The slot of a key or channel: CRC-16 (XMODEM) of its hash tag (the text in its first braces), or of all of it (Redis Cluster
 * specification, "Hash tags"). Keys here are ASCII.
 */
export function hashSlot(key: string): number {
  const tag = /\{([^}]+)\}/.exec(key)?.[1] ?? key;
  let crc = 0;
  for (let i = 0; i < tag.length; i++) {
    crc ^= tag.charCodeAt(i) << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  }
  return (crc & 0xffff) % SLOTS;
}
