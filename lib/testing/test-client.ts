import type { IncomingHttpHeaders } from 'node:http';
import { WebSocket } from 'ws';
import { Inbox } from './inbox.js';
import type { ReceivedFrame } from './received-frame.js';

/** How to connect. */
export interface TestClientOptions {
  /** Sent as the query parameter `token`. */
  readonly token?: string;
  readonly headers?: Record<string, string>;
  readonly protocols?: string[];
}

/** How a socket was closed. */
export interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** How long connecting may take, in milliseconds: longer than a server takes to say that it cannot verify a token. */
const CONNECT_TIMEOUT_MS = 15_000;

/** What a test may do to the socket of a {@link TestClient} beside talking: be slow, or leave without a word. */
export interface ClientSocket {
  /** The sub-protocol that the server chose; empty when none was offered. */
  readonly protocol: string;
  /** Stops reading, as a slow client does. */
  pause(): void;
  /** Reads on. */
  resume(): void;
  /** Closes with a code and a reason of its own. */
  close(code?: number, reason?: string): void;
  /** Ends the TCP connection without a close frame. */
  terminate(): void;
}

/** Which frame is waited for: its type, or a test. */
export type FrameTest = string | ((frame: ReceivedFrame) => boolean);

/** The server answered the request to connect with an HTTP error. */
export class UpgradeRefusedError extends Error {
  override readonly name = 'UpgradeRefusedError';

  constructor(
    readonly status: number,
    readonly headers: IncomingHttpHeaders,
    /** The body, parsed when it was JSON. */
    // oxlint-disable-next-line typescript/no-explicit-any -- tests look into it as they please
    readonly body: any,
  ) {
    super(`The server refused the WebSocket with ${status}: ${JSON.stringify(body)}`);
  }
}

/**
 * A plain client that keeps what it receives until a test asks for it, so that nothing is missed and nothing has to be
 * timed. Every wait has a deadline, and says what had arrived when it passes.
 */
export class TestClient {
  readonly #frames = new Inbox<ReceivedFrame>('frame');
  readonly #closes = new Inbox<Closed>('close');
  #lastId = 0;

  private constructor(private readonly ws: WebSocket) {
    ws.on('message', (data: Buffer) => this.#frames.put(JSON.parse(data.toString()) as ReceivedFrame));
    ws.on('close', (code, reason) => this.#closes.put({ code, reason: reason.toString() }));
    ws.on('error', () => undefined);
  }

  /** The socket itself. */
  get socket(): ClientSocket {
    return this.ws;
  }

  /**
   * Connects and waits until the socket is open.
   * @throws UpgradeRefusedError with the status and the body of an HTTP refusal
   */
  static async connect(url: string, { token, headers, protocols }: TestClientOptions = {}): Promise<TestClient> {
    const address = new URL(url);
    if (token !== undefined) address.searchParams.set('token', token);
    const socket = new WebSocket(address, protocols, { headers, handshakeTimeout: CONNECT_TIMEOUT_MS });
    const client = new TestClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
      socket.once('unexpected-response', (_request, response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const body = Buffer.concat(chunks).toString();
          reject(new UpgradeRefusedError(response.statusCode ?? 0, response.headers, parsed(body)));
        });
      });
    });
    return client;
  }

  /** Sends a command; with anything but a string, as JSON. */
  send(command: unknown): void {
    this.ws.send(typeof command === 'string' ? command : JSON.stringify(command));
  }

  /** Sends a command with an id of its own and resolves with the first answer to it. */
  async request(command: Record<string, unknown>, timeoutMs?: number): Promise<ReceivedFrame> {
    const id = `test-${++this.#lastId}`;
    this.send({ ...command, id });
    return this.next((frame) => frame.id === id, timeoutMs);
  }

  /**
   * The oldest frame not yet taken, or the oldest that fits; frames that do not fit stay for later.
   * @param test a type such as `order.created`, or a function
   * @param timeoutMs how long to wait at most; default 4,000
   */
  next(test?: FrameTest, timeoutMs?: number): Promise<ReceivedFrame> {
    return this.#frames.take(typeof test === 'string' ? ({ type }) => type === test : test, timeoutMs);
  }

  /** How the socket was closed, once it is. */
  nextClose(timeoutMs?: number): Promise<Closed> {
    return this.#closes.take(undefined, timeoutMs);
  }

  /** The frames that have arrived and were not taken. */
  get pending(): readonly ReceivedFrame[] {
    return this.#frames.items;
  }

  /**
   * Waits until everything that the server had sent before has arrived: a `ping` is answered behind it. After this,
   * {@link pending} shows what did not arrive, too.
   */
  async settled(): Promise<void> {
    await this.request({ action: 'ping' });
  }

  /** Closes the socket and waits for it. */
  async close(): Promise<void> {
    if (this.ws.readyState === WebSocket.CLOSED) return;
    const closed = new Promise<void>((resolve) => this.ws.once('close', () => resolve()));
    // One that a test has paused would never read the server's part of the closing handshake.
    this.ws.resume();
    this.ws.close();
    await closed;
  }
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}
