import { UpgradeRefusedError, type TestClient } from 'nestjs-realtime/testing';
import { setTimeout as delay } from 'node:timers/promises';
import type { FaultNode } from './fault-node.js';

/** How long a commuter waits at most before it tries again, in milliseconds: at first, and after many attempts. */
const FIRST_BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 2_000;

/** Longer than any test lasts, in milliseconds. */
const STAY_MS = 3_600_000;

/** The experience of the commuters. */
export interface Journeys {
  /** How long each took who was let in, from its request to the answer, in milliseconds. */
  readonly upgradesMs: number[];
  /** For how long each was away, from the end of its connection to the next one, in milliseconds. */
  readonly absencesMs: number[];
  /** The reasons for refusals: a status, or the code of an error. */
  readonly rebuffs: string[];
}

/** A client that does nothing but be there, and that comes back as clients should: at random, later each time, and not before it was told to. */
export class Commuter {
  #client: TestClient | undefined;
  #isOver = false;
  readonly #travelling: Promise<void>;

  /**
   * @param nodes those there are at the moment
   * @param startsInMs when it comes first, in milliseconds from now
   */
  constructor(
    private readonly userId: string,
    private readonly nodes: () => readonly FaultNode[],
    private readonly journeys: Journeys,
    startsInMs: number,
  ) {
    this.#travelling = this.#travel(startsInMs);
  }

  /** True while it is connected. */
  get isIn(): boolean {
    return this.#client !== undefined;
  }

  /** Goes home. */
  async stop(): Promise<void> {
    this.#isOver = true;
    this.#client?.socket.terminate();
    await this.#travelling;
  }

  async #travel(startsInMs: number): Promise<void> {
    await delay(startsInMs);
    let leftAt = performance.now();
    for (let attempts = 0; !this.#isOver; attempts++) {
      const client = await this.#visit();
      if (client) {
        attempts = 0;
        this.journeys.absencesMs.push(performance.now() - leftAt);
        this.#client = client;
        if (this.#isOver) client.socket.terminate();
        await client.nextClose(STAY_MS);
        this.#client = undefined;
        leftAt = performance.now();
      }
      if (this.#isOver) return;
      await delay(Math.random() * Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** attempts));
    }
  }

  async #visit(): Promise<TestClient | undefined> {
    const nodes = this.nodes();
    const node = nodes[Math.floor(Math.random() * nodes.length)]!;
    const start = performance.now();
    try {
      const client = await node.connect(this.userId);
      this.journeys.upgradesMs.push(performance.now() - start);
      return client;
    } catch (error) {
      const isAnswer = error instanceof UpgradeRefusedError;
      const { code, message } = error as NodeJS.ErrnoException;
      this.journeys.rebuffs.push(isAnswer ? String(error.status) : (code ?? message));
      if (isAnswer) await delay(Number(error.headers['retry-after'] ?? 0) * 1_000);
      return undefined;
    }
  }
}
