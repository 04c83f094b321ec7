import { usagesOf, type ControlLine } from './control-line.js';
import type { PhaseResult } from './job.js';
import type { Tally } from './tally.js';
import type { Turns } from './turns.js';

/** How long deliveries may be overdue before they count as lost, in milliseconds. */
const OVERDUE_MS = 5_000;

/** The instruments that measure a phase. */
export interface Instruments {
  readonly lines: readonly ControlLine[];
  readonly tally: Tally;
  readonly turns: Turns;
}

/**
 * Measures from one moment at which nothing is under way to the next: what was asked for is waited for on both ends, so
 * each delivery that is counted has been paid for in between, and no other.
 * @param sampleEvery of how many messages the latency of one is taken
 * @param work does something; returns how much it asked for and how many deliveries were due for each
 */
export async function measureSpan(
  name: string,
  { lines, tally, turns }: Instruments,
  sampleEvery: number,
  work: () => Promise<{ readonly asked: number; readonly deliveriesEach: number }>,
): Promise<PhaseResult> {
  const used = await usagesOf(lines);
  const { reads, messages, payloadBytes } = tally;
  const { idleMs } = turns;
  tally.sample(sampleEvery);
  const start = performance.now();
  const { asked, deliveriesEach } = await work();
  const due = asked * deliveriesEach;
  await settled(() => tally.messages - messages, due, turns);
  const wallMs = performance.now() - start;
  const cpuMicrosOfEach = (await usagesOf(lines)).map(({ cpuMicros }, at) => cpuMicros - used[at]!.cpuMicros);
  const cpuMicros = cpuMicrosOfEach.reduce((total, each) => total + each, 0);
  const deliveries = tally.messages - messages;
  const percentile = (part: number) => tally.latency.percentile(part) ?? 0;
  return {
    name,
    asked,
    deliveries,
    // Nothing is due of what a server may leave out.
    lost: Math.max(0, due - deliveries),
    cpuMicrosPerDelivery: cpuMicros / deliveries,
    cpuMicrosPerAsked: cpuMicros / asked,
    cpuMicrosPerAskedOfEach: cpuMicrosOfEach.map((each) => each / asked),
    deliveriesPerSecond: (deliveries * 1_000) / wallMs,
    wallMs,
    payloadBytes: (tally.payloadBytes - payloadBytes) / deliveries,
    messagesPerRead: deliveries / (tally.reads - reads),
    generatorBusy: 1 - (turns.idleMs - idleMs) / wallMs,
    latencyMicros: { p50: percentile(0.5), p90: percentile(0.9), p99: percentile(0.99) },
  };
}

/** The same, and how late timers of the server were meanwhile. */
export async function measureCrush(...span: Parameters<typeof measureSpan>): Promise<PhaseResult> {
  const [server] = span[1].lines;
  await server!.lateness();
  const result = await measureSpan(...span);
  return { ...result, latenessMs: await server!.lateness() };
}

/** Waits until everything has arrived, or nothing has for a while. */
export async function settled(arrived: () => number, due: number, turns: Turns): Promise<void> {
  let seen = arrived();
  let since = performance.now();
  await turns.until((now) => {
    const count = arrived();
    if (count !== seen) since = now;
    seen = count;
    return count >= due || now - since > OVERDUE_MS;
  });
}
