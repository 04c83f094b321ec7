import type { Session } from './session.js';

/** How far apart two closes should be, in milliseconds: a fleet of clients must not come back in one instant. */
const PACE_MS = 10;

/** The part of the time after which nobody's handlers are waited for any longer; the rest is for closing properly. */
const PATIENCE = 0.8;

/**
 * Ends all sessions with "server is shutting down, please reconnect", each as soon as its commands are answered.
 *
 * They begin at random within 10 ms for each session, at most half of the time, so that handlers have the other half.
 * After four fifths nobody is waited for; what is left at the end is ended at once.
 * @param leaving sessions whose sockets are gone, but whose hooks are not through; they are waited for as well
 */
export async function drain(
  sessions: ReadonlySet<Session>,
  leaving: ReadonlySet<Session>,
  timeoutMs: number,
): Promise<void> {
  const spreadMs = Math.min(sessions.size * PACE_MS, timeoutMs / 2);
  const timers = Array.from(sessions, (session) => setTimeout(() => session.retire(), Math.random() * spreadMs));
  const closeAll = () => sessions.forEach((session) => session.disconnect('SHUTDOWN'));
  timers.push(setTimeout(closeAll, timeoutMs * PATIENCE));
  const deadline = new Promise<void>((resolve) => timers.push(setTimeout(resolve, timeoutMs)));
  await Promise.race([Promise.all([...sessions, ...leaving].map((session) => session.gone)), deadline]);
  timers.forEach(clearTimeout);
  for (const session of sessions) session.terminate();
}
