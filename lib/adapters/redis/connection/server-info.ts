/** The most by which the uptime of `INFO` is too long: it is a difference of two times in whole seconds. */
const UPTIME_ERROR_MS = 1_100;

/** Returns a field of the reply to `INFO`, or `undefined` if it is not there. */
export function infoField(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(\\S*)`, 'm').exec(info)?.[1];
}

/** Returns the time for which a server has been up at least, in milliseconds: 0 if its reply to `INFO server` does not say it. */
export function leastUptimeMs(info: string): number {
  const seconds = Number(infoField(info, 'uptime_in_seconds'));
  return Number.isFinite(seconds) ? Math.max(0, seconds * 1_000 - UPTIME_ERROR_MS) : 0;
}
