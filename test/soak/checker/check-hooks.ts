import { ONLINE, type Find, type HookCall, type InfoGiven, type Loss, type RunRecord } from './record.js';

/** How long after a loss of data a node may not have reported its users yet, in milliseconds: it may be cut off, too. */
const UNREPORTED_MS = 15_000;

/** How long after a loss of data a node may still use the server that is replaced, in milliseconds. */
const MOVED_MS = 3_000;

/** How long after the end of a node the leaves of its users may not have been told yet, in milliseconds: its lease, the grace period, and their margin. */
const UNTOLD_MS = 6_000;

/**
 * For each user of a topic as many joins as leaves were told, and one more join when the user is there in the end; and in the same way
 * for each user `online` and `offline`. A loss of data
 * excuses two things that nobody can know for a while: a second join of a user who comes to another node before the first one has
 * reported its users again, and a second leave of a user in older data whose node has ended since. Each loss excuses one leave of a
 * user, and one join, or as many as the user has come with another connection in that time.
 *
 * And when a node ends and the data are lost before its lease is over, nobody knows of its users any more: a node knows its own users, and of
 * others what Redis says. What was told of them last stays as it is, a join. Guests come back at once, which is the second join above.
 * Those who are disconnected for good do not, so that their `offline` may be missing: once for each `online` that was told before such a loss, if
 * the next one was told after the end of the node.
 */
export function checkHooks(
  {
    hooks,
    present,
    online,
    losses,
    ends,
    infos,
  }: Pick<RunRecord, 'hooks' | 'present' | 'online' | 'losses' | 'ends' | 'infos'>,
  find: Find,
): void {
  const calls = new Map<string, HookCall[]>();
  for (const call of [...hooks].sort((a, b) => a.at - b.at)) {
    const name = `${call.topic} ${call.userId}`;
    calls.set(name, [...(calls.get(name) ?? []), call]);
  }
  const there = [...present, [ONLINE, online] as const].flatMap(([topic, users]) =>
    users.map((userId) => `${topic} ${userId}`),
  );
  for (const name of there) if (!calls.has(name)) calls.set(name, []);
  const forgotten = ends.flatMap((end) =>
    losses.filter(({ from, over }) => over >= end && from <= end + UNTOLD_MS).map((loss) => [end, loss] as const),
  );
  for (const [name, called] of calls) {
    const balance = sum(called.map(({ kind }) => (kind === 'joined' ? 1 : -1)));
    const due = there.includes(name) ? 1 : 0;
    const excused = (kind: HookCall['kind']) => {
      const twice = called.flatMap((call, index) => {
        const before = called[index - 1];
        return call.kind === kind && before?.kind === kind ? [[before, call] as const] : [];
      });
      const most = losses.map((loss) => {
        const count = twice.filter(([before, call]) => isExcused(before, call, loss)).length;
        return count < 2 || kind === 'left' ? Math.min(count, 1) : Math.min(count, arrivalsIn(infos, called[0]!, loss));
      });
      return Math.min(twice.length, sum(most));
    };
    const unended = name.startsWith(ONLINE) ? unendedIn(called, due === 1) : [];
    const lost = unended.filter(
      ([{ at }, next]) =>
        forgotten.some(([end, loss]) => at <= loss.over && (next === undefined || next.at >= end)) &&
        !losses.some((loss) => next && isExcused({ at }, next, loss)),
    );
    if (balance >= due - excused('left') && balance <= due + excused('joined') + lost.length) continue;
    const repeats = called.filter(({ kind }, index) => kind === called[index - 1]?.kind);
    const odd = repeats.find((call) => !isExplained(called, call, losses)) ?? repeats[0] ?? called.at(-1);
    find('hooks out of balance', `${name}: ${balance} more joins than leaves, not ${due}`, odd?.at);
  }
}

/** True when a loss of data excuses that a call repeats the one before. */
function isExplained(called: readonly HookCall[], call: HookCall, losses: readonly Loss[]): boolean {
  const before = called[called.indexOf(call) - 1]!;
  return losses.some((loss) => isExcused(before, call, loss));
}

/** The joins that no leave follows, each with the next call. @param isThere true when that is right for the last one */
function unendedIn(called: readonly HookCall[], isThere: boolean): (readonly [join: HookCall, next?: HookCall])[] {
  return called.flatMap((call, index) => {
    const next = called[index + 1];
    const isEnded = next ? next.kind === 'left' : isThere;
    return call.kind === 'left' || isEnded ? [] : [[call, next] as const];
  });
}

/** True when data may have been lost between two equal calls, not long ago. */
function isExcused(before: Pick<HookCall, 'at'>, call: HookCall, { from, over }: Loss): boolean {
  return before.at <= over + MOVED_MS && call.at >= from && call.at <= over + UNREPORTED_MS;
}

/** With how many connections a user came into the topic after a loss of data, until all nodes had reported their users; at least one. */
function arrivalsIn(infos: readonly InfoGiven[], { topic, userId }: HookCall, { from, over }: Loss): number {
  const arrivedAt = new Map<number, number>();
  for (const { connection, asked, taken, ...given } of infos) {
    if (connection === undefined || taken === undefined || given.userId !== userId) continue;
    if (topic !== ONLINE && topic !== given.topic) continue;
    if (!arrivedAt.has(connection)) arrivedAt.set(connection, asked);
  }
  return Math.max(1, [...arrivedAt.values()].filter((at) => at >= from && at <= over + UNREPORTED_MS).length);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
