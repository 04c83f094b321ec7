/** Returns a copy that shares its memory with no other bytes. A part of a larger chunk, or of a pool, would keep all of it. */
export function ownBytes<B extends Uint8Array>(bytes: B): B {
  // The method of a `Buffer` with this name copies nothing.
  return Uint8Array.prototype.slice.call(bytes) as B;
}
