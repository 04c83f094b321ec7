import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Dialect } from '../dialect.js';

/** What the thread of a bystander needs to know. */
export interface BystanderTask {
  /** Its number among the clients, which decides on its source address. */
  readonly number: number;
  readonly port: number;
  readonly dialect: Dialect;
  readonly question: string;
  readonly token: string;
}

/** Percentiles of the time that a bystander waited for answers, in microseconds. */
export interface Waits {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/**
 * A bystander in a thread of its own: the generator is busy for tens of milliseconds while it sends for 10,000 clients, and would count
 * that as a wait for the server.
 */
export class BystanderLine {
  private constructor(private readonly worker: Worker) {}

  /** Connects a bystander. @param program the text of `bystander-thread.ts` */
  static async open(program: string, task: BystanderTask): Promise<BystanderLine> {
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`), { workerData: task });
    await once(worker, 'message');
    return new BystanderLine(worker);
  }

  /** Measures while something is done, and until the last answer has come. */
  async during<T>(work: () => Promise<T>): Promise<{ readonly done: T; readonly waits: Waits }> {
    this.worker.postMessage('begin');
    const done = await work();
    this.worker.postMessage('end');
    const [waits] = (await once(this.worker, 'message')) as [Waits];
    return { done, waits };
  }

  /** Disconnects the bystander. Fulfils when its thread has ended. */
  async close(): Promise<void> {
    this.worker.postMessage('leave');
    await once(this.worker, 'exit');
  }
}
