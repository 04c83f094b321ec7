import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Longer than `ws` waits for the close frame of a peer, which is five seconds. */
const DEADLINE_MS = 15_000;

/** A TCP client that says what it likes, and keeps what it hears. */
export class RawClient {
  readonly #chunks: Buffer[] = [];
  readonly #closed: Promise<void>;
  /** Waiters for more bytes. */
  readonly #waiting = new Set<() => void>();

  private constructor(readonly socket: Socket) {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#heard();
    });
    this.#closed = new Promise((resolve) => {
      socket.on('close', () => {
        resolve();
        this.#heard();
      });
    });
  }

  /** Connects to the host and port of a URL; what is left of it is destroyed when the test has finished. */
  static async to(url: string): Promise<RawClient> {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    onTestFinished(() => void socket.destroy());
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new RawClient(socket);
  }

  /** All bytes that have arrived, each as one character. */
  get received(): string {
    return Buffer.concat(this.#chunks).toString('latin1');
  }

  /** Resolves once the bytes have been handed to the operating system. */
  write(data: string | Buffer): Promise<void> {
    return new Promise((resolve) => this.socket.write(data, () => resolve()));
  }

  /** Waits until this text has arrived. */
  async heard(text: string): Promise<string> {
    await this.until((received) => received.includes(text) || undefined, `"${text}"`);
    return this.received;
  }

  /** Waits until something can be read out of what has arrived. */
  async until<T>(read: (received: string) => T | undefined, what: string): Promise<T> {
    const late = new Error(`${what} did not arrive`);
    const deadline = Date.now() + DEADLINE_MS;
    for (;;) {
      const found = read(this.received);
      if (found !== undefined) return found;
      if (this.socket.destroyed || Date.now() >= deadline) {
        late.message += `; what did: ${JSON.stringify(this.received)}`;
        throw late;
      }
      await this.#change(deadline - Date.now());
    }
  }

  /** Waits until the socket is gone; returns all that had arrived. */
  async closed(): Promise<string> {
    // Else a server that ends its side would be waited for in vain.
    this.socket.once('end', () => this.socket.end());
    const late = new Error(`The server kept the socket open`);
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<never>((_resolve, reject) => (timer = setTimeout(() => reject(late), DEADLINE_MS)));
    await Promise.race([this.#closed, deadline]).finally(() => clearTimeout(timer));
    return this.received;
  }

  /** Says that nothing more will come, and goes on listening. */
  halfClose(): void {
    this.socket.end();
  }

  /** Breaks the connection off: the peer sees ECONNRESET. */
  async reset(): Promise<void> {
    this.socket.resetAndDestroy();
    await this.#closed;
  }

  #change(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#waiting.add(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #heard(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }
}

/** The text of an upgrade request; a header that is set to `undefined` is left out. */
export function upgradeRequest(target: string, headers: Record<string, string | undefined> = {}): string {
  const all: Record<string, string | undefined> = {
    Host: '127.0.0.1',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  return [`GET ${target} HTTP/1.1`, ...lines, '', ''].join('\r\n');
}

/** A text frame as clients send it: masked, of at most 125 bytes (RFC 6455, 5.2). */
export function clientFrame(command: unknown): Buffer {
  const payload = Buffer.from(JSON.stringify(command));
  if (payload.length > 125) throw new Error('This makes short frames only.');
  const mask = randomBytes(4);
  const masked = payload.map((byte, at) => byte ^ mask[at % 4]!);
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length]), mask, masked]);
}
