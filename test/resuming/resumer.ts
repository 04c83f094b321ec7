import type { ReceivedFrame } from 'nestjs-realtime/testing';
import { setTimeout as delay } from 'node:timers/promises';
import { Line } from '../helpers/line.js';
import type { Host, Saying } from './host.js';
import type { Journal, Note, Position } from './journal.js';

/** The deadline for a node to admit a client, in milliseconds. */
const PATIENCE_MS = 2_000;

/** Subscribes to a topic, comes back when it is sent away, to whichever node lets it in, and asks for what it has missed. */
export class Resumer {
  readonly #diary: Note[];
  #line: Line | undefined;
  #at: Position | undefined;
  #isIn = false;
  #isOver = false;
  readonly #travelling: Promise<void>;

  /**
   * @param random where to, and how soon: from 0 to 1
   * @param restMs how long it rests at most before it comes back, in milliseconds
   */
  constructor(
    readonly name: string,
    private readonly topic: string,
    journal: Journal,
    private readonly hosts: () => readonly Host[],
    private readonly random: () => number,
    private readonly restMs = 50,
  ) {
    this.#diary = journal.diaryOf(name);
    this.#travelling = this.#travel();
  }

  /** The position; unknown before the first subscription. */
  get at(): Position | undefined {
    return this.#at;
  }

  /** True while it is subscribed. */
  get isIn(): boolean {
    return this.#isIn;
  }

  /** Its connection breaks. */
  cut(): void {
    this.#line?.cut();
  }

  /** Stops reading for a while. */
  async stall(ms: number): Promise<void> {
    const line = this.#line;
    line?.pause();
    await delay(ms);
    line?.resume();
  }

  /** Goes home. */
  async stop(): Promise<void> {
    this.#isOver = true;
    this.#line?.close();
    await this.#travelling;
  }

  async #travel(): Promise<void> {
    while (!this.#isOver) {
      await this.#visit();
      // As clients should, not all at the same moment.
      await delay(this.random() * this.restMs);
    }
  }

  async #visit(): Promise<void> {
    const hosts = this.hosts();
    const { port } = hosts[Math.floor(this.random() * hosts.length)]!;
    const line = await Line.open(port, this.name, PATIENCE_MS);
    if (!line) return;
    this.#line = line;
    const asked = this.#at;
    line.onFrame = (frame) => this.#take(frame, undefined);
    line.onAnswer = (answer) => this.#take(answer, asked);
    const closed = line.closed.then(() => {
      this.#isIn = false;
      this.#diary.push({ kind: 'gone' });
      return undefined;
    });
    if (!this.#isOver) await line.ask({ action: 'subscribe', topic: this.topic, ...(asked && { recover: asked }) });
    // It was told to try again, or has gone home meanwhile.
    if (this.#isOver || !this.#isIn) line.close();
    await closed;
  }

  #take({ type, payload, offset }: ReceivedFrame, asked: Position | undefined): void {
    if (type === 'said') {
      this.#diary.push({ kind: 'got', key: (payload as Saying).key, offset: offset! });
      if (this.#at) this.#at = { epoch: this.#at.epoch, offset: offset! };
    } else if (type === 'realtime:subscribed') {
      const { epoch, recovered } = payload;
      this.#at = { epoch, offset: payload.offset };
      this.#isIn = true;
      this.#diary.push({
        kind: 'told',
        ...(asked && { asked }),
        at: this.#at,
        ...(recovered !== undefined && { recovered }),
      });
    }
  }
}
