import type { Find, InfoGiven, RunRecord } from './record.js';

/**
 * Infos that were given within this time of one another, in milliseconds, may be shown in either order: a report may be under way to Redis
 * for as long as a command may take, `commandTimeoutMs`, and a node counts the age of an info from when it sent the report.
 */
const NEAR_MS = 2_500;

/** How long after a loss of data writes may be lost, too: another server may be about to take over, in milliseconds. */
const TAKEN_OVER_MS = 10_000;

/**
 * In the end everybody sees the newest info of each user: that of the newest connection that is still there, or a newer one of the
 * application. After a loss of data, an info of the application may be gone, and an earlier one may be back. It is gone when the user was
 * told to have left since, as when a node was away for longer than its lease.
 */
export function checkInfos(
  { infos, present, pictures, losses, hooks }: Pick<RunRecord, 'infos' | 'present' | 'pictures' | 'losses' | 'hooks'>,
  find: Find,
): void {
  const lostUntil = Math.max(-Infinity, ...losses.map(({ over }) => over + TAKEN_OVER_MS));
  for (const [topic, users] of present) {
    for (const userId of users) {
      const left = hooks.filter((call) => call.kind === 'left' && call.topic === topic && call.userId === userId);
      const shown = shownOf(
        infos.filter((given) => given.topic === topic && given.userId === userId && given.gone === undefined),
        Math.max(lostUntil, ...left.map(({ at }) => at)),
      );
      for (const { seenBy, users: seen, infos: told } of pictures.filter((picture) => picture.topic === topic)) {
        const info = told[userId];
        if (!seen.includes(userId) || (info === undefined ? shown.length === 0 : shown.includes(info))) continue;
        find('wrong info', `${userId} in ${topic}: ${info}, not ${shown.join(' or ')}, seen by ${seenBy}`);
      }
    }
  }
}

/**
 * The infos that may be shown: those that are not older than one that is there for certain.
 * @param goneUntil the time until which infos of the application may be gone
 */
function shownOf(given: readonly InfoGiven[], goneUntil: number): readonly string[] {
  const certain = given.filter(
    ({ taken, connection, asked }) => taken !== undefined && (connection !== undefined || asked > goneUntil),
  );
  return given.filter((one) => !certain.some((other) => isOlder(one, other))).map(({ info }) => info);
}

/** Commands of one connection are carried out in their order. An info of which nobody knows whether it was taken may be so at any time. */
function isOlder({ asked, taken = Infinity, connection }: InfoGiven, other: InfoGiven): boolean {
  if (connection !== undefined && connection === other.connection) return asked < other.asked;
  return taken + NEAR_MS < other.asked;
}
