import { setTimeout as pause } from 'node:timers/promises';
import type { Dialect } from '../dialect.js';
import { SECRET } from '../secret.js';
import { topicsOf, type Workload } from '../workload.js';
import { Client } from './client.js';
import { usageOf, type ControlLine, type Usage } from './control-line.js';
import type { CrowdResult, Job } from './job.js';
import type { Tally } from './tally.js';
import { tokenFor } from './token.js';

/** So many clients are busy connecting, or subscribing, at a time. */
const AT_ONCE = 64;

/** How long it may take until the next client has got what it wants, in milliseconds. */
const PATIENCE_MS = 60_000;

/** How long a server is left alone before its memory is looked at, in milliseconds. */
const REST_MS = 300;

/** All clients of a workload, and what they cost the server before anything is sent. */
export class Crowd {
  readonly clients: Client[] = [];
  readonly #ports: readonly number[];
  readonly #dialect: Dialect;
  readonly #workload: Workload;
  #served = 0;
  /** Rejects when the server ends a connection, or stands still. */
  readonly #failure: Promise<never>;
  #fail!: (error: Error) => void;

  constructor(
    { ports, dialect, workload }: Job,
    private readonly lines: readonly ControlLine[],
    private readonly tally: Tally,
  ) {
    this.#ports = ports;
    this.#dialect = dialect;
    this.#workload = workload;
    this.#failure = new Promise<never>((_resolve, reject) => (this.#fail = reject));
    this.#failure.catch(() => undefined);
  }

  /** Connects and subscribes all clients, so that only leaving is left to measure. */
  async gather(): Promise<Omit<CrowdResult, 'leaveCpuMicros'>> {
    const { connections, topics, subscribersPerTopic } = this.#workload;
    const subscriptions = topics * subscribersPerTopic;
    const before = await this.rested();
    const start = performance.now();
    const halfway = Math.floor(connections / 2);
    let half: (Usage & { readonly admitted: number }) | undefined;
    await this.each(async (number) => {
      await this.admit(number);
      if (number === halfway) half = { ...(await usageOf(this.lines)), admitted: this.#served };
    });
    const acceptMs = performance.now() - start;
    const accepted = await usageOf(this.lines);
    await this.each((number) => this.clients[number]!.subscribe(topicsOf(number, this.#workload)));
    const subscribed = await usageOf(this.lines);
    for (const client of this.clients) client.settle();
    const resting = await this.rested();
    return {
      connections,
      acceptCpuMicros: (accepted.cpuMicros - before.cpuMicros) / connections,
      ...(half && { laterAcceptCpuMicros: (accepted.cpuMicros - half.cpuMicros) / (connections - half.admitted) }),
      acceptsPerSecond: (connections * 1_000) / acceptMs,
      subscriptions,
      subscribeCpuMicros: (subscribed.cpuMicros - accepted.cpuMicros) / Math.max(subscriptions, 1),
      baseRssBytes: before.rssBytes,
      rssBytesPerConnection: (resting.rssBytes - before.rssBytes) / connections,
    };
  }

  /** Connects a client, and waits until it is in. */
  async admit(number: number): Promise<void> {
    const port = this.#ports[Math.floor((number * this.#ports.length) / this.#workload.connections)]!;
    const client = new Client(number, port, this.#dialect, this.tally, this.#fail);
    this.clients[number] = client;
    await client.enter(tokenFor(userOf(number), SECRET));
  }

  /**
   * Disconnects all clients but the first.
   * @param staying how many stay
   * @param others how many are connected beside the crowd
   * @returns the cost for the server of each, in microseconds of CPU
   */
  async leave(staying = 0, others = 0): Promise<number> {
    const before = await usageOf(this.lines);
    const leaving = this.clients.slice(staying);
    for (const client of leaving) client.leave();
    for (const deadline = performance.now() + PATIENCE_MS; ; await pause(20)) {
      const { cpuMicros, connections } = await usageOf(this.lines);
      if (connections === staying + others) return (cpuMicros - before.cpuMicros) / leaving.length;
      if (performance.now() > deadline) throw new Error(`The server still counts ${connections} connections.`);
    }
  }

  /** Settles as the given work does, and rejects if the server ends a connection meanwhile. */
  during<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#failure]);
  }

  /** Does something for all of them. @param atOnce for how many at a time */
  async each(work: (number: number) => Promise<void>, atOnce = AT_ONCE): Promise<void> {
    let next = 0;
    const worker = async () => {
      while (next < this.#workload.connections) {
        await work(next++);
        this.#served += 1;
      }
    };
    const watch = this.#watch();
    await this.during(Promise.all(Array.from({ length: atOnce }, worker))).finally(() => clearInterval(watch));
  }

  /** The resource usage of the server after a garbage collection. */
  async rested(): Promise<Usage> {
    for (let times = 0; times < 2; times++) {
      await Promise.all(this.lines.map((line) => line.collectGarbage()));
      await pause(REST_MS);
    }
    return usageOf(this.lines);
  }

  #watch(): NodeJS.Timeout {
    let seen = this.#served;
    return setInterval(() => {
      if (this.#served === seen) this.#fail(new Error(`Nothing has moved for ${PATIENCE_MS / 1_000} s.`));
      seen = this.#served;
    }, PATIENCE_MS);
  }
}

/** The user that a client is. */
export function userOf(number: number): string {
  return `user-${number}`;
}
