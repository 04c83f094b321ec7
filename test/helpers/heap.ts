import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { setImmediate as nextTurn } from 'node:timers/promises';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** How many bytes this process holds, in its heap and in buffers outside of it, when all garbage is gone. */
export async function heldBytes(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    collectGarbage();
    // Finalizers run, and give up what is outside of the heap.
    await nextTurn();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** True once an object has been collected; false when it has survived this many collections. */
export async function isCollected(reference: WeakRef<object>, rounds = 20): Promise<boolean> {
  for (let round = 0; round < rounds; round++) {
    if (reference.deref() === undefined) return true;
    // An object that was looked at is kept until the end of the turn.
    await nextTurn();
    collectGarbage();
    await nextTurn();
  }
  return reference.deref() === undefined;
}
