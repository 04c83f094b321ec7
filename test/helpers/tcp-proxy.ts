import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

/** Direction of bytes: requests to the server, replies to the client. */
export type Direction = 'requests' | 'replies';

/** How much of its requests shows what a connection is for, in bytes. */
const REMEMBERED = 16_384;

type Mode =
  | { readonly kind: 'pass' | 'refuse' }
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'stall'; readonly directions: readonly Direction[]; readonly havingSent: string }
  | { readonly kind: 'cut after request'; readonly containing: string; readonly done: () => void };

/** Starts a proxy to a port of 127.0.0.1 on a free port; it is closed when the test has finished, or as `finished` says. */
export async function startTcpProxy(
  target: number,
  finished: (close: () => Promise<void>) => void = onTestFinished,
): Promise<TcpProxy> {
  const proxy = await TcpProxy.start(target);
  finished(() => proxy.close());
  return proxy;
}

/** Stands between clients and a server, and treats what they say to each other as a bad network does. */
export class TcpProxy {
  readonly #server: Server;
  readonly #links = new Set<Link>();
  #mode: Mode = { kind: 'pass' };

  private constructor(private target: number) {
    this.#server = createServer((client) => {
      if (this.#mode.kind === 'refuse') return void client.resetAndDestroy();
      const link = new Link(client, connect(this.target, '127.0.0.1'), () => this.#mode);
      this.#links.add(link);
      client.once('close', () => this.#links.delete(link));
    });
  }

  static async start(target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    await once(proxy.#server.listen(0, '127.0.0.1'), 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many connections go through it. */
  get connections(): number {
    return this.#links.size;
  }

  /** Leads new connections to another port from now on. */
  redirect(target: number): void {
    this.target = target;
  }

  /** Hands everything on, as it does from the start. */
  pass(): void {
    this.#switchTo({ kind: 'pass' });
  }

  /** Hands everything on so many milliseconds later. */
  delay(ms: number): void {
    this.#switchTo({ kind: 'delay', ms });
  }

  /**
   * Stops reading, so that the sender's buffers fill up in the end; connections stay open, and new ones are like this,
   * too.
   * @param havingSent only of connections that have sent a request with this text
   */
  stall(directions: readonly Direction[] = ['requests', 'replies'], havingSent = ''): void {
    this.#switchTo({ kind: 'stall', directions, havingSent });
  }

  /** Ends all connections at once, or those that have sent a request with this text; new ones are taken. */
  cut(havingSent = ''): void {
    for (const link of this.#links) if (link.hasSent(havingSent)) link.destroy();
  }

  /** Ends all connections at once, and new ones as they come. */
  refuse(): void {
    this.#switchTo({ kind: 'refuse' });
    this.cut();
  }

  /** Hands on the next request that contains this text, ends its connection before the reply passes, and hands everything on again. */
  cutAfterRequest(containing: string): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.pass();
        resolve();
      };
      this.#switchTo({ kind: 'cut after request', containing, done });
    });
  }

  async close(): Promise<void> {
    const closed = once(this.#server.close(), 'close');
    this.cut();
    await closed;
  }

  #switchTo(mode: Mode): void {
    this.#mode = mode;
    for (const link of this.#links) link.regulate();
  }
}

/** A client's connection and the one that is made to the server for it. */
class Link {
  #isCut = false;
  /** The beginning of what the client has sent. */
  #requests = '';

  constructor(
    private readonly client: Socket,
    private readonly server: Socket,
    private readonly mode: () => Mode,
  ) {
    this.#carry('requests', client, server);
    this.#carry('replies', server, client);
    this.regulate();
  }

  destroy(): void {
    this.client.resetAndDestroy();
    this.server.resetAndDestroy();
  }

  hasSent(text: string): boolean {
    return this.#requests.includes(text);
  }

  /** Reads where the mode and the other side allow it. */
  regulate(): void {
    const mode = this.mode();
    const isStalled = (direction: Direction) =>
      mode.kind === 'stall' && mode.directions.includes(direction) && this.hasSent(mode.havingSent);
    for (const [direction, from, to] of [
      ['requests', this.client, this.server],
      ['replies', this.server, this.client],
    ] as const) {
      if (isStalled(direction) || to.writableNeedDrain) from.pause();
      else from.resume();
    }
  }

  #carry(direction: Direction, from: Socket, to: Socket): void {
    // Delayed bytes stay ahead of the bytes that follow.
    let handedOn = Promise.resolve();
    const inTurn = (step: () => void) => {
      const mode = this.mode();
      const due = mode.kind === 'delay' ? delay(mode.ms) : undefined;
      handedOn = handedOn.then(() => due).then(step);
    };
    from.on('data', (chunk: Buffer) => inTurn(() => this.#handOn(direction, chunk, to)));
    from.on('end', () => inTurn(() => to.end()));
    from.on('error', () => to.destroy());
    from.on('close', () => inTurn(() => to.destroy()));
    to.on('drain', () => this.regulate());
  }

  #handOn(direction: Direction, chunk: Buffer, to: Socket): void {
    if (this.#isCut) return;
    if (direction === 'requests' && this.#requests.length < REMEMBERED) {
      this.#requests += chunk.toString('latin1');
      this.regulate();
    }
    const mode = this.mode();
    if (mode.kind === 'cut after request' && direction === 'requests' && chunk.includes(mode.containing)) {
      this.#isCut = true;
      // The reply shows that the request was executed; it is where the connection ends.
      this.server.removeAllListeners('data').once('data', () => {
        this.destroy();
        mode.done();
      });
    }
    if (!to.write(chunk)) this.regulate();
  }
}
