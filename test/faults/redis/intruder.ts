import { testToken } from 'nestjs-realtime/testing';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { Position } from '../../resuming/journal.js';

let intruders = 0;

/** A client that does not stay. Each is a user of its own, since one user may have 20 connections only. */
export class Intruder {
  readonly #ws: WebSocket;
  #socket: Socket | undefined;

  constructor(port: number) {
    this.#ws = new WebSocket(`ws://127.0.0.1:${port}/ws?token=${testToken(`intruder-${(intruders += 1)}`)}`);
    this.#ws.on('error', () => undefined);
    this.#ws.on('upgrade', ({ socket }) => (this.#socket = socket));
  }

  /** Begins to recover, and resets its connection so many milliseconds after it was made. */
  async vanish(topic: string, recover: Position, afterMs: number): Promise<void> {
    const closed = once(this.#ws, 'close');
    await Promise.race([once(this.#ws, 'open'), closed]);
    this.#ws.send(JSON.stringify({ action: 'subscribe', id: 1, topic, recover }));
    await delay(afterMs);
    this.#socket?.resetAndDestroy();
    await closed;
  }

  /** Subscribes, waits for the answer, and leaves. */
  async visit(topic: string): Promise<void> {
    const closed = once(this.#ws, 'close');
    await Promise.race([once(this.#ws, 'open'), closed]);
    this.#ws.send(JSON.stringify({ action: 'subscribe', id: 1, topic }));
    this.#ws.on('message', (data: Buffer) => {
      if (data.includes('realtime:subscribed')) this.#ws.close();
    });
    await closed;
  }
}
