import type { IncomingHttpHeaders } from 'node:http';
import { WebSocket } from 'ws';
import { Inbox } from './inbox.js';
import type { ReceivedFrame } from './received-frame.js';

/** Options for connecting a test client. */
export interface TestClientOptions {
  /** Sent as the query parameter `token`. */
  readonly token?: string;
  readonly headers?: Record<string, string>;
  readonly protocols?: string[];
}

/** Close code and reason of a socket. */
export interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** Timeout of connecting, in milliseconds; longer than the server's own timeout for verifying a token. */
const CONNECT_TIMEOUT_MS = 15_000;

/** The socket of a {@link TestClient}, for tests that read slowly (backpressure) or end the connection abruptly. */
export interface ClientSocket {
  /** The sub-protocol that the server selected; empty if none was offered. */
  readonly protocol: string;
  /** Stops reading, like a slow consumer. */
  pause(): void;
  /** Resumes reading. */
  resume(): void;
  /** Closes with the given code and reason. */
  close(code?: number, reason?: string): void;
  /** Ends the TCP connection without a close frame. */
  terminate(): void;
}

/** Selects a frame by its type or by a function. */
export type FrameTest = string | ((frame: ReceivedFrame) => boolean);

/** Thrown if the server answers the upgrade request with an HTTP error. */
export class UpgradeRefusedError extends Error {
  override readonly name = 'UpgradeRefusedError';

  constructor(
    readonly status: number,
    readonly headers: IncomingHttpHeaders,
    /** The body, parsed if it is JSON. */
    // oxlint-disable-next-line typescript/no-explicit-any -- tests read fields of any body
    readonly body: any,
  ) {
    super(`The server refused the WebSocket with ${status}: ${JSON.stringify(body)}`);
  }
}

/**
 * A client of the plain protocol that queues the frames it receives, so that tests miss nothing and need no timing. Every
 * wait has a deadline; its error lists the frames that had arrived.
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

  /** Sends a command. A value other than a string is sent as JSON. */
  send(command: unknown): void {
    this.ws.send(typeof command === 'string' ? command : JSON.stringify(command));
  }

  /** Sends a command with a new id and resolves with the first answer to it. */
  async request(command: Record<string, unknown>, timeoutMs?: number): Promise<ReceivedFrame> {
    const id = `test-${++this.#lastId}`;
    this.send({ ...command, id });
    return this.next((frame) => frame.id === id, timeoutMs);
  }

  /**
   * Removes and returns the oldest frame, or the oldest one that passes the test. Other frames stay in the queue.
   * @param test a type such as `order.created`, or a function
   * @param timeoutMs deadline in milliseconds; default 4,000
   */
  next(test?: FrameTest, timeoutMs?: number): Promise<ReceivedFrame> {
    return this.#frames.take(typeof test === 'string' ? ({ type }) => type === test : test, timeoutMs);
  }

  /** Resolves with the close code and reason, once the socket is closed. */
  nextClose(timeoutMs?: number): Promise<Closed> {
    return this.#closes.take(undefined, timeoutMs);
  }

  /** The frames in the queue. */
  get pending(): readonly ReceivedFrame[] {
    return this.#frames.items;
  }

  /**
   * Waits until all frames that the server sent before have arrived, by the answer to a `ping`. After this, a frame that is
   * missing from {@link pending} was not sent.
   */
  async settled(): Promise<void> {
    await this.request({ action: 'ping' });
  }

  /** Closes the socket and waits for it. */
  async close(): Promise<void> {
    if (this.ws.readyState === WebSocket.CLOSED) return;
    const closed = new Promise<void>((resolve) => this.ws.once('close', () => resolve()));
    // A paused socket would never read the server's part of the closing handshake.
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
