/** Bytes of an object or an array itself, empty. */
const CONTAINER_BYTES = 64;
/** Bytes of a value's place in an array. */
const ENTRY_BYTES = 8;
/** Bytes of a key: its place in the object, and its part in the object's shape, which objects with the same keys share. */
const KEY_BYTES = 112;
const NUMBER_BYTES = 16;
const STRING_BYTES = 24;
/** A string takes two bytes a character as soon as one of them needs them. */
const CHARACTER_BYTES = 2;

/**
 * Returns about how many bytes of heap a parsed JSON value takes. It is made not to fall short of V8 for hostile input, where a
 * byte of text becomes up to 21 bytes of heap; ordinary objects, whose shapes are shared, take down to a fifth of it. It does not
 * recurse, and takes about as long as parsing.
 */
export function heapBytesOf(value: unknown): number {
  let bytes = 0;
  const waiting: unknown[] = [value];
  while (waiting.length > 0) {
    const each = waiting.pop();
    if (typeof each === 'string') bytes += textHeapBytes(each.length);
    else if (typeof each === 'number') bytes += NUMBER_BYTES;
    else if (Array.isArray(each)) {
      bytes += CONTAINER_BYTES + ENTRY_BYTES * each.length;
      for (const entry of each as unknown[]) waiting.push(entry);
    } else if (typeof each === 'object' && each !== null) {
      bytes += CONTAINER_BYTES;
      for (const key in each) {
        bytes += KEY_BYTES + CHARACTER_BYTES * key.length;
        waiting.push((each as Readonly<Record<string, unknown>>)[key]);
      }
    }
  }
  return bytes;
}

/** Bytes of a buffer itself, with the memory that it owns: about half on the heap, half outside, where V8 does not count it. */
const BUFFER_BYTES = 450;

/** Returns how much memory a buffer with so many bytes of its own takes at most, on the heap and outside. */
export function bufferBytes(length: number): number {
  return BUFFER_BYTES + length;
}

/** Returns how many bytes of heap a string of this length takes at most. */
export function textHeapBytes(length: number): number {
  return STRING_BYTES + CHARACTER_BYTES * length;
}
