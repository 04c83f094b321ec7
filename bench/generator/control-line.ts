import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { StreamPlace } from '../servers/server-control.js';

/** The resources that a server has used. */
export interface Usage {
  readonly cpuMicros: number;
  readonly rssBytes: number;
  readonly connections: number;
  readonly heapBytes: number;
  readonly externalBytes: number;
}

/** Tells a server what to do; see `servers/server-control.ts`. */
export class ControlLine {
  #unsent = '';
  #rest = '';
  readonly #asking: ((answer: string) => void)[] = [];

  private constructor(private readonly socket: Socket) {
    socket.setEncoding('latin1').on('data', (text: string) => {
      const lines = (this.#rest + text).split('\n');
      this.#rest = lines.pop()!;
      for (const line of lines) this.#asking.shift()?.(line);
    });
  }

  static async open(port: number): Promise<ControlLine> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new ControlLine(socket);
  }

  /** Requests a publication, to all connections if there is no topic; sent with the next {@link flush}. */
  publish(topic: string | undefined, seq: number, stamped: number): void {
    this.#unsent += `P ${topic ?? '*'} ${seq} ${stamped}\n`;
  }

  /** Gives each stream its next item; sent with the next {@link flush}. */
  tick(stamped: number): void {
    this.#unsent += `T ${stamped}\n`;
  }

  flush(): void {
    if (this.#unsent === '') return;
    this.socket.write(this.#unsent, 'latin1');
    this.#unsent = '';
  }

  async collectGarbage(): Promise<void> {
    await this.#ask('G');
  }

  async usage(): Promise<Usage> {
    const [, ...figures] = (await this.#ask('U')).split(' ').map(Number);
    const [cpuMicros, rssBytes, connections, heapBytes, externalBytes] = figures as [
      number,
      number,
      number,
      number,
      number,
    ];
    return { cpuMicros, rssBytes, connections, heapBytes, externalBytes };
  }

  /** Has streams begin that have so many items of this size, one of them in each of the first topics. */
  async beginStreams(items: number, bytes: number, topics: number): Promise<void> {
    await this.#ask(`S ${items} ${bytes} ${topics}`);
  }

  /** How many streams wait for their next item. */
  async waitingStreams(): Promise<number> {
    return Number((await this.#ask('W')).split(' ')[1]);
  }

  /** Has so much published to a topic, and waits until it is kept. @returns where its stream stands then */
  async keep(topic: string, count: number): Promise<StreamPlace> {
    const [, epoch, offset] = (await this.#ask(`K ${topic} ${count}`)).split(' ');
    return { epoch: epoch!, offset: Number(offset) };
  }

  /** Changes the rights of all clients, and waits until so many subscriptions were judged. @returns how many were */
  async judge(subscriptions: number): Promise<number> {
    return Number((await this.#ask(`R ${subscriptions}`)).split(' ')[1]);
  }

  /** The number of users in a topic; -1 if it is unknown. */
  async users(topic: string): Promise<number> {
    return Number((await this.#ask(`N ${topic}`)).split(' ')[1]);
  }

  /** How late timers of the server were since this was asked before. */
  async lateness(): Promise<{ readonly p99: number; readonly max: number }> {
    const [, p99, max] = (await this.#ask('D')).split(' ').map(Number);
    return { p99: p99!, max: max! };
  }

  close(): void {
    this.socket.destroy();
  }

  #ask(order: string): Promise<string> {
    this.socket.write(`${order}\n`, 'latin1');
    return new Promise((resolve) => this.#asking.push(resolve));
  }
}

/** Returns the resources that each of several processes has used. */
export function usagesOf(lines: readonly ControlLine[]): Promise<readonly Usage[]> {
  return Promise.all(lines.map((line) => line.usage()));
}

/** Returns the resources that several processes have used together; each has its own clients. */
export async function usageOf(lines: readonly ControlLine[]): Promise<Usage> {
  const usages = await usagesOf(lines);
  const sum = (pick: (usage: Usage) => number) => usages.reduce((total, usage) => total + pick(usage), 0);
  return {
    cpuMicros: sum(({ cpuMicros }) => cpuMicros),
    rssBytes: sum(({ rssBytes }) => rssBytes),
    connections: sum(({ connections }) => connections),
    heapBytes: sum(({ heapBytes }) => heapBytes),
    externalBytes: sum(({ externalBytes }) => externalBytes),
  };
}
