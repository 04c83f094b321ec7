import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RealtimeLimits } from 'nestjs-realtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { heldBytes } from '../../helpers/heap.js';
import type { RawGuest } from '../../helpers/raw-guest.js';
import { OPCODE, serverFrames } from '../../helpers/raw-frames.js';
import { NO_HARM, Scene } from '../../helpers/scene.js';

const KB = 1_024;
const MB = 1_024 * KB;
const CHUNK = 'x'.repeat(64 * KB);

/** Dead peers are not what this is about; the pings count the time. */
const PATIENT = { intervalMs: 20, timeoutMs: 60_000 };

const stage = (limits: RealtimeLimits = {}) => Scene.set({ options: { limits, heartbeat: PATIENT } });

/** Sends to one client alone until so many bytes wait for it, or it is cut off. @returns the most that ever waited */
async function fill({ app }: Scene, { userId, serverSide }: RawGuest, bytes: number, chunk = CHUNK): Promise<number> {
  let most = 0;
  // The kernel's buffers come first, and take some megabytes.
  for (let sent = 0; serverSide.writableLength < bytes && sent < 4_000; sent++) {
    const { recipients } = await app.realtime.sendToUser(userId, { type: 'flood', payload: chunk });
    if (recipients === 0) break;
    await nextTurn();
    most = Math.max(most, serverSide.writableLength);
  }
  return most;
}
