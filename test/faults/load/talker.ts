import type { Closed, TestClient } from 'nestjs-realtime/testing';
import { setTimeout as delay } from 'node:timers/promises';
import type { FaultNode } from './fault-node.js';
import type { Said, Saying } from './node/rooms.js';

/** A client that talks in a room without a pause, and keeps account of what came of it. */
export class Talker {
  /** The answers to its commands. */
  readonly said: Said[] = [];
  /** The names of the works that were answered. */
  readonly worked: string[] = [];
  closed: Closed | undefined;
  /** Resolves when the connection has ended. */
  readonly end: Promise<void>;

  private constructor(
    readonly client: TestClient,
    readonly id: string,
  ) {
    this.end = this.#untilClosed();
  }

  /** Connects and enters the room. */
  static async enter(node: FaultNode, userId: string, topic: string): Promise<Talker> {
    const client = await node.connect(userId);
    const { payload } = await client.next('realtime:welcome');
    await client.request({ action: 'subscribe', topic });
    return new Talker(client, payload.connectionId);
  }

  /** Says something again and again, the next when the last was answered, until the connection ends. */
  async talk(topic: string): Promise<void> {
    for (let answer = await this.#ask(topic, 'say'); answer; answer = await this.#ask(topic, 'say')) {
      this.said.push(answer as Said);
    }
  }

  /** Resolves when so much that it said was answered, or the connection has ended. */
  async hasSaid(count: number): Promise<void> {
    while (this.said.length < count && !this.closed) await delay(5);
  }

  /** Asks for pieces of work, so many of them at any time, until the connection ends. */
  async toil(topic: string, atOnce: number, ms: number): Promise<void> {
    let asked = 0;
    const hand = async () => {
      const next = () => this.#ask(topic, 'work', { name: `${this.id} ${asked++}`, ms });
      for (let answer = await next(); answer; answer = await next()) this.worked.push(answer as string);
    };
    await Promise.all(Array.from({ length: atOnce }, hand));
  }

  async #untilClosed(): Promise<void> {
    this.closed = await this.client.nextClose(60_000);
  }

  /** The works that the server began. */
  get begun(): string[] {
    return this.client.pending.filter(({ type }) => type === 'begun').map(({ payload }) => payload as string);
  }

  /** The places in the topic's order of what it has heard. */
  get heard(): number[] {
    return this.client.pending.filter(({ type }) => type === 'said').map(({ payload }) => (payload as Saying).place);
  }

  /** @returns the payload of the reply, or nothing when the connection ended before it came */
  async #ask(topic: string, type: string, payload?: unknown): Promise<unknown> {
    if (this.closed) return undefined;
    const reply = this.client.request({ action: 'message', topic, type, payload }, 60_000);
    const frame = await Promise.race([reply, this.end]);
    return frame?.payload;
  }
}
