import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { ReceivedFrame } from '../../../lib/testing/received-frame.js';
import { Line } from '../../helpers/line.js';

/** What stands in a publication of a stream. */
export interface Piece {
  readonly id: string;
  readonly seq?: number;
  readonly items?: readonly string[];
  readonly end?: true;
  readonly stopped?: true;
  readonly error?: string;
}

/** A reader of one stream, which comes back with its position whenever it loses its connection. */
export class Follower {
  readonly pieces: Piece[] = [];
  /** How often it was told that it cannot recover. */
  notRecovered = 0;
  /** How often it has subscribed. */
  visits = 0;
  #position: { readonly epoch: string; readonly offset: number } | undefined;
  #line: Line | undefined;
  #isOver = false;
  #changed: () => void = () => undefined;
  readonly #following: Promise<void>;

  /** @param ports where there are nodes at the moment; the first one that lets it in is taken */
  private constructor(
    private readonly topic: string,
    private readonly ports: () => readonly number[],
  ) {
    this.#following = this.#follow();
  }

  /** Resolves once it has subscribed; it goes home when the test has finished. */
  static async of(topic: string, ports: () => readonly number[]): Promise<Follower> {
    const follower = new Follower(topic, ports);
    onTestFinished(() => follower.stop());
    await follower.until(() => follower.visits > 0);
    return follower;
  }

  /** All text so far. */
  get text(): string {
    return this.pieces.flatMap(({ items = [] }) => items).join('');
  }

  get ends(): readonly Piece[] {
    return this.pieces.filter(({ items }) => items === undefined);
  }

  /** The numbers of the pieces. */
  get numbers(): readonly (number | undefined)[] {
    return this.pieces.map(({ seq }) => seq);
  }

  /** Waits until something is true of it. */
  async until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await new Promise<void>((resolve) => (this.#changed = resolve));
  }

  /** Waits until the stream has ended. */
  ended(): Promise<void> {
    return this.until(() => this.ends.length > 0);
  }

  /** Loses its connection. */
  cut(): void {
    this.#line?.cut();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    this.#line?.close();
    await this.#following;
  }

  async #follow(): Promise<void> {
    for (let attempt = 0; !this.#isOver; attempt++) {
      const ports = this.ports();
      await this.#visit(ports[attempt % ports.length]!);
      await delay(20);
    }
  }

  async #visit(port: number): Promise<void> {
    const line = await Line.open(port, 'reader', 2_000);
    if (!line) return;
    this.#line = line;
    const waiting: ReceivedFrame[] = [];
    let isSubscribed = false;
    line.onFrame = (frame) => (isSubscribed ? this.#take(frame) : waiting.push(frame));
    line.onAnswer = (answer) => {
      if (answer.type !== 'realtime:subscribed') return line.close();
      if (answer.payload.recovered === false) this.notRecovered += 1;
      if (answer.payload.recovered !== true) this.#position = answer.payload;
      isSubscribed = true;
      this.visits += 1;
      waiting.splice(0).forEach((frame) => this.#take(frame));
      this.#changed();
    };
    if (this.#isOver) line.close();
    const { epoch, offset } = this.#position ?? {};
    void line.ask({ action: 'subscribe', topic: this.topic, ...(epoch && { recover: { epoch, offset } }) });
    await line.closed;
  }

  #take({ type, payload, offset }: ReceivedFrame): void {
    if (type === 'realtime:subscribed') {
      this.notRecovered += 1;
      this.#position = payload;
    }
    if (offset === undefined) return;
    this.#position = { epoch: this.#position!.epoch, offset };
    if (type === 'stream') this.pieces.push(payload as Piece);
    this.#changed();
  }
}

/** The text of a stream of numbered words. */
export function wordsUpTo(count: number): string {
  return Array.from({ length: count }, (_, n) => `${n} `).join('');
}

/** The numbers from 0 on. */
export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}
