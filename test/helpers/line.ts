import { testToken, type ReceivedFrame } from 'nestjs-realtime/testing';
import { WebSocket } from 'ws';

/** How long an answer may take, in milliseconds: longer than any fault lasts. */
const ANSWER_MS = 30_000;

/** A client that may talk for hours: nothing of what it has heard is kept. */
export class Line {
  readonly #asked = new Map<string, (answer: ReceivedFrame | 'closed' | 'late') => void>();
  #lastId = 0;
  /** Resolves with the id of the connection, or with nothing when it ends before it is welcome. */
  readonly welcomed: Promise<string | undefined>;
  /** Resolves with the close code. */
  readonly closed: Promise<number>;
  #welcome: (connectionId?: string) => void = () => undefined;
  /** Told of everything but answers. */
  onFrame: (frame: ReceivedFrame) => void = () => undefined;
  /** Told of every answer, in its place among the frames. */
  onAnswer: (answer: ReceivedFrame) => void = () => undefined;

  private constructor(private readonly ws: WebSocket) {
    this.welcomed = new Promise((resolve) => (this.#welcome = resolve));
    ws.on('error', () => undefined);
    ws.on('message', (data: Buffer) => this.#take(JSON.parse(data.toString()) as ReceivedFrame));
    this.closed = new Promise((resolve) => {
      ws.on('close', (code) => {
        resolve(code);
        this.#welcome();
        for (const answer of this.#asked.values()) answer('closed');
      });
    });
  }

  /** Connects a user. Resolves with nothing when the server does not let it in at the moment, or not in time. */
  static async open(port: number, userId: string, patienceMs = ANSWER_MS): Promise<Line | undefined> {
    const ws = new WebSocket(`ws://127.0.0.1:${port}/ws?token=${testToken(userId)}`, { handshakeTimeout: patienceMs });
    const line = new Line(ws);
    const isOpen = await new Promise((resolve) => {
      ws.once('open', () => resolve(true));
      ws.once('close', () => resolve(false));
    });
    return isOpen ? line : undefined;
  }

  get isOpen(): boolean {
    return this.ws.readyState === WebSocket.OPEN;
  }

  /** The answer to a command; or why there is none. */
  ask(command: Record<string, unknown>): Promise<ReceivedFrame | 'closed' | 'late'> {
    if (!this.isOpen) return Promise.resolve('closed');
    const id = `${++this.#lastId}`;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#asked.get(id)!('late'), ANSWER_MS);
      this.#asked.set(id, (answer) => {
        clearTimeout(timer);
        this.#asked.delete(id);
        resolve(answer);
      });
      this.ws.send(JSON.stringify({ ...command, id }));
    });
  }

  /** Stops reading. */
  pause(): void {
    this.ws.pause();
  }

  /** Reads on. */
  resume(): void {
    this.ws.resume();
  }

  close(): void {
    this.ws.close();
  }

  /** Ends the connection without a word. */
  cut(): void {
    this.ws.terminate();
  }

  #take(frame: ReceivedFrame): void {
    if (frame.type === 'realtime:welcome') this.#welcome(frame.payload.connectionId);
    else if (frame.id === undefined) this.onFrame(frame);
    else {
      this.onAnswer(frame);
      this.#asked.get(String(frame.id))?.(frame);
    }
  }
}
