import { nameOf, topicName, type Audience, type PaceDeed, type Phase, type Workload } from '../workload.js';
import { StampedFrame, stamp } from './client-frame.js';
import { usageOf } from './control-line.js';
import { bystand } from './commotion.js';
import type { Crowd } from './crowd.js';
import type { Job, PhaseResult } from './job.js';
import { keep } from './keep.js';
import { recover } from './recover.js';
import { measureSpan, type Instruments } from './span.js';
import { runStreams } from './streams.js';
import type { Venue } from './venue.js';

/** Of many messages, the latency of one in this many is sampled. */
const SAMPLE_EVERY = 16;

/** A phase with a given duration and a constant load. */
type Steady = Extract<Phase, { readonly kind: 'publish' | 'pace' | 'ask' }>;

/** Runs a phase, first to warm up. @returns nothing when the server has no such thing */
export async function runPhase(
  phase: Phase,
  job: Job,
  crowd: Crowd,
  venue: Venue,
  instruments: Instruments,
): Promise<PhaseResult | undefined> {
  switch (phase.kind) {
    case 'recover':
      return recover(phase.missed, job, crowd, instruments);
    case 'storm':
      return venue.storm(phase.members);
    case 'thin':
      return venue.thin(phase.members);
    case 'alternate':
      return venue.alternate(phase);
    case 'bystand':
      return bystand(phase.during, job, crowd, instruments);
    case 'stream':
      return runStreams(phase, job, crowd, instruments);
    case 'keep':
      return keep(phase, job, crowd, instruments);
    default:
      return runSteady(phase, job, crowd, instruments);
  }
}

async function runSteady(
  phase: Steady,
  { workload, dialect }: Job,
  crowd: Crowd,
  instruments: Instruments,
): Promise<PhaseResult | undefined> {
  const question = phase.kind === 'ask' ? dialect.ask?.[phase.handler] : '';
  if (question === undefined) return undefined;
  const sampleEvery = phase.kind === 'publish' ? SAMPLE_EVERY : 1;
  const run = (durationMs: number) =>
    measureSpan(nameOf(phase), instruments, sampleEvery, () => {
      switch (phase.kind) {
        case 'publish':
          return keepOutstanding(phase.outstanding, phase.to, durationMs, workload, instruments);
        case 'pace':
          return keepPace(phase, durationMs, workload, instruments);
        case 'ask':
          return keepAsking(question, durationMs, crowd, instruments);
        default:
          return phase satisfies never;
      }
    });
  const warmUp = await run(phase.warmUpMs);
  if (warmUp.lost > 0) return warmUp;
  const result = await run(phase.durationMs);
  return phase.kind === 'pace' && phase.isLossy ? { ...result, processBytes: await held(instruments) } : result;
}

/** The memory of the server, after a garbage collection. */
async function held({ lines }: Instruments): Promise<{ readonly heap: number; readonly rss: number }> {
  await Promise.all(lines.map((line) => line.collectGarbage()));
  const { heapBytes, rssBytes } = await usageOf(lines);
  return { heap: heapBytes, rss: rssBytes };
}

async function keepOutstanding(
  outstanding: number,
  to: Audience,
  durationMs: number,
  workload: Workload,
  { lines, tally, turns }: Instruments,
) {
  const [publisher] = lines;
  const deliveriesEach = sizeOf(to, workload);
  const before = tally.messages;
  const end = performance.now() + durationMs;
  let asked = 0;
  await turns.until((now) => {
    if (now >= end) return true;
    const done = Math.floor((tally.messages - before) / deliveriesEach);
    while (asked < done + outstanding) publisher!.publish(pick(to, workload), asked++, stamp(performance.now()));
    publisher!.flush();
    return false;
  });
  return { asked, deliveriesEach };
}

async function keepPace(
  { perSecond, to, isLossy }: PaceDeed,
  durationMs: number,
  workload: Workload,
  { lines, turns }: Instruments,
) {
  const [publisher] = lines;
  const start = performance.now();
  let asked = 0;
  await turns.until((now) => {
    if (now >= start + durationMs) return true;
    // Stamped with the moment it was due: a generator that is late must not make the server look good.
    for (let due = start; (due = start + (asked * 1_000) / perSecond) <= now; asked++) {
      publisher!.publish(pick(to, workload), asked, stamp(due));
    }
    publisher!.flush();
    return false;
  });
  return { asked, deliveriesEach: isLossy ? 0 : sizeOf(to, workload) };
}

async function keepAsking(text: string, durationMs: number, crowd: Crowd, { tally, turns }: Instruments) {
  const before = tally.messages;
  const end = performance.now() + durationMs;
  for (const client of crowd.clients) client.ask(new StampedFrame(text));
  await turns.until((now) => now >= end);
  for (const client of crowd.clients) client.stopAsking();
  // Each of them waits for one more.
  return { asked: tally.messages - before + crowd.clients.length, deliveriesEach: 1 };
}

function sizeOf(to: Audience, { connections, subscribersPerTopic }: Workload): number {
  return to === 'everybody' ? connections : subscribersPerTopic;
}

function pick(to: Audience, { topics, nodes = 1 }: Workload): string | undefined {
  switch (to) {
    case 'everybody':
      return undefined;
    case 'one topic':
      return topicName(0);
    case 'a random topic':
      return topicName(Math.floor(Math.random() * topics));
    case 'a topic of the last node':
      return topicName(topics - 1 - Math.floor((Math.random() * topics) / nodes));
    default:
      return to satisfies never;
  }
}
