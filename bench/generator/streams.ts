import { setTimeout as pause } from 'node:timers/promises';
import { TEXT } from '../dialect.js';
import { nameOf, type Phase } from '../workload.js';
import { stamp } from './client-frame.js';
import type { Client } from './client.js';
import type { Usage } from './control-line.js';
import type { Crowd } from './crowd.js';
import type { Job, PhaseResult, StallResult } from './job.js';
import { measureSpan, settled, type Instruments } from './span.js';

/** How long it may take until all streams have begun, and how often it is looked, in milliseconds. */
const PATIENCE_MS = 10_000;
const LOOK_MS = 5;

type Streaming = Extract<Phase, { readonly kind: 'stream' }>;

/** Has streams run by the clock, first to warm up. @returns nothing when the server has no such thing */
export async function runStreams(
  phase: Streaming,
  { workload, dialect }: Job,
  crowd: Crowd,
  instruments: Instruments,
): Promise<PhaseResult | undefined> {
  const call = phase.from === 'handlers' ? dialect.stream : '';
  if (call === undefined) return undefined;
  const topics = phase.from === 'topics' ? workload.topics : 0;
  const run = new StreamRun(phase, { call, topics }, crowd, instruments);
  instruments.tally.countsItems = true;
  try {
    const warmUp = await run.measure(phase.warmUpMs, []);
    if (warmUp.lost !== 0) return warmUp;
    const { stallsEvery } = phase;
    const stalling = stallsEvery === undefined ? [] : crowd.clients.filter((_, number) => number % stallsEvery === 0);
    return await run.measure(phase.durationMs, stalling);
  } finally {
    instruments.tally.countsItems = false;
  }
}

class StreamRun {
  constructor(
    private readonly phase: Streaming,
    /** The call of a handler, empty where there is none, and how many topics have a stream. */
    private readonly streams: { readonly call: string; readonly topics: number },
    private readonly crowd: Crowd,
    private readonly instruments: Instruments,
  ) {}

  /** @param stalling the readers that do not read once the streams have begun */
  async measure(durationMs: number, stalling: readonly Client[]): Promise<PhaseResult> {
    const { clients } = this.crowd;
    const items = Math.max(1, Math.round((durationMs * this.phase.perSecond) / 1_000));
    const before = await this.crowd.rested();
    await this.#begin(items);
    const begun = await this.crowd.rested();
    for (const client of stalling) client.stall();
    const halfway = stalling.length > 0 ? this.#heldAfter(durationMs / 2) : undefined;
    const result = await measureSpan(nameOf(this.phase), this.instruments, 1, async () => {
      await this.#tick(items);
      return { asked: items, deliveriesEach: clients.length - stalling.length };
    });
    const { heapBytes, rssBytes } = await this.#usage();
    const streams = this.streams.topics || clients.length;
    const measured: PhaseResult = {
      ...result,
      bytesEach: {
        heap: (begun.heapBytes - before.heapBytes) / streams,
        rss: (begun.rssBytes - before.rssBytes) / streams,
      },
      processBytes: { heap: heapBytes, rss: rssBytes },
    };
    if (!halfway) return measured;
    return { ...measured, stall: await this.#goOn(stalling, items, begun, await halfway) };
  }

  /** Waits until all streams have begun: each of them waits for its first item. */
  async #begin(items: number): Promise<void> {
    const [line] = this.instruments.lines;
    const { call, topics } = this.streams;
    await line!.beginStreams(items, this.phase.itemBytes ?? TEXT.length, topics);
    if (topics === 0) for (const client of this.crowd.clients) client.say(call);
    const due = topics || this.crowd.clients.length;
    for (const deadline = performance.now() + PATIENCE_MS; ; await pause(LOOK_MS)) {
      const waiting = await line!.waitingStreams();
      if (waiting === due) return;
      if (performance.now() > deadline) throw new Error(`${waiting} streams have begun, not ${due}.`);
    }
  }

  /** Gives all streams their items when they are due. */
  async #tick(items: number): Promise<void> {
    const { lines, turns } = this.instruments;
    const start = performance.now();
    let given = 0;
    await turns.until((now) => {
      // Stamped with the moment it was due: a generator that is late must not make the server look good.
      for (let due = start; given < items && (due = start + (given * 1_000) / this.phase.perSecond) <= now; given++) {
        lines[0]!.tick(stamp(due));
      }
      lines[0]!.flush();
      return given === items;
    });
  }

  async #heldAfter(delayMs: number): Promise<Usage> {
    await pause(delayMs);
    return this.#held();
  }

  /** The memory of the server, without its garbage; it is not left alone before. */
  async #held(): Promise<Usage> {
    // Buffers that the first one finds unused are freed by the second one at the latest.
    for (let times = 0; times < 2; times++) await this.instruments.lines[0]!.collectGarbage();
    return this.#usage();
  }

  #usage(): Promise<Usage> {
    return this.instruments.lines[0]!.usage();
  }

  /** Has stalled readers read again, and waits for what was kept for them. */
  async #goOn(stalled: readonly Client[], items: number, before: Usage, halfway: Usage): Promise<StallResult> {
    const { tally, turns } = this.instruments;
    const end = await this.#held();
    const due = stalled.map(({ received }) => received + items);
    const { messages } = tally;
    for (const client of stalled) client.goOn();
    await settled(() => tally.messages - messages, stalled.length * items, turns);
    const held = (usage: Usage) => usage.heapBytes + usage.externalBytes - before.heapBytes - before.externalBytes;
    return {
      readers: stalled.length,
      heldHalfwayBytes: held(halfway),
      heldBytes: held(end),
      rssHalfwayBytes: halfway.rssBytes - before.rssBytes,
      rssBytes: end.rssBytes - before.rssBytes,
      dropped: stalled.filter(({ wasDropped }) => wasDropped).length,
      complete: stalled.filter(({ received }, at) => received === due[at]).length,
    };
  }
}
