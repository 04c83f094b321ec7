import type { Find, HookCall, RunRecord } from './record.js';

/** How long after a loss of data a node may not have reported its users yet, in milliseconds: it may be cut off, too. */
const UNREPORTED_MS = 15_000;

/**
 * For each user of a topic as many joins as leaves were told, and one more join when the user is there in the end. A loss of data
 * excuses two things that nobody can know then: a second join of a user who comes to another node before the first one has reported its
 * users again, and a missing join of a user who is in the older data that came back, although a leave was told since.
 */
export function checkHooks(
  { hooks, present, losses }: Pick<RunRecord, 'hooks' | 'present' | 'losses'>,
  find: Find,
): void {
  const calls = new Map<string, HookCall[]>();
  for (const call of [...hooks].sort((a, b) => a.at - b.at)) {
    const name = `${call.topic} ${call.userId}`;
    calls.set(name, [...(calls.get(name) ?? []), call]);
  }
  const there = [...present].flatMap(([topic, users]) => users.map((userId) => `${topic} ${userId}`));
  for (const name of there) if (!calls.has(name)) calls.set(name, []);
  for (const [name, called] of calls) {
    const balance = called.reduce((sum, { kind }) => sum + (kind === 'joined' ? 1 : -1), 0);
    const due = there.includes(name) ? 1 : 0;
    const excused = (kind: HookCall['kind']) =>
      called.filter((call, index) => {
        const before = called[index - 1];
        return call.kind === kind && before?.kind === kind && losses.some((loss) => isExcused(before, call, loss));
      }).length;
    if (balance >= due - excused('left') && balance <= due + excused('joined')) continue;
    const odd = called.find(({ kind }, index) => kind === called[index - 1]?.kind) ?? called.at(-1);
    find('hooks out of balance', `${name}: ${balance} more joins than leaves, not ${due}`, odd?.at);
  }
}

/** True when data were lost between two equal calls; a second join is excused for a while only. */
function isExcused(before: HookCall, call: HookCall, loss: number): boolean {
  if (loss <= before.at || loss >= call.at) return false;
  return call.kind === 'left' || call.at <= loss + UNREPORTED_MS;
}
