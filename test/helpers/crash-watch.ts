import { onTestFinished } from 'vitest';

/** Collects uncaught exceptions and unhandled rejections until the test has finished. */
export function watchForCrashes(): readonly unknown[] {
  const crashes: unknown[] = [];
  const collect = (reason: unknown) => void crashes.push(reason);
  const events = ['unhandledRejection', 'uncaughtException'] as const;
  for (const event of events) process.on(event, collect);
  onTestFinished(() => events.forEach((event) => process.off(event, collect)));
  return crashes;
}
