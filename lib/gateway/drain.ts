import type { Session } from './session.js';

/** How far apart two closes should be, in milliseconds: a fleet of clients must not come back in one instant. */
const PACE_MS = 10;

/**
 * Ends all sessions with "server is shutting down, please reconnect", each once its commands are answered, spread at random over 10 ms for each, but over no
 * more than half of the time there is, and returns when the last of them is gone. What is left when the time is over is
 * ended at once.
 */
export async function drain(sessions: ReadonlySet<Session>, timeoutMs: number): Promise<void> {
  const spreadMs = Math.min(sessions.size * PACE_MS, timeoutMs / 2);
  const timers = Array.from(sessions, (session) => setTimeout(() => session.retire(), Math.random() * spreadMs));
  let overdue: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => (overdue = setTimeout(resolve, timeoutMs)));
  await Promise.race([Promise.all(Array.from(sessions, (session) => session.gone)), deadline]);
  clearTimeout(overdue);
  timers.forEach(clearTimeout);
  for (const session of sessions) session.terminate();
}
