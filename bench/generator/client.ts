import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Dialect } from '../dialect.js';
import { encodeDelimited } from '../../lib/codecs/centrifuge/protobuf/message-writer.js';
import { COMMAND } from '../../lib/codecs/centrifuge/protobuf/schema.js';
import { clientFrame, type StampedFrame } from './client-frame.js';
import { EventScanner } from './event-scanner.js';
import { FrameScanner, type FrameVisitor } from './frame-scanner.js';
import type { Tally } from './tally.js';

/** All sockets read into this; what a read brought has been looked at when the next one comes. */
const READ_BUFFER = Buffer.allocUnsafeSlow(256 * 1024);

/** So many clients share a source address; there are 28,000 ports for each on most systems. */
const CLIENTS_PER_ADDRESS = 20_000;

/** A client on a bare TCP socket. It waits for what it must hear to be let in; after that it only counts. */
export class Client implements FrameVisitor {
  readonly #socket: Socket;
  readonly #scanner: FrameScanner | EventScanner;
  readonly #heartbeat: Buffer | undefined;
  /** The bytes of the handshake response received so far, until it is complete. */
  #upgrade: string | undefined;
  #heard: string[] = [];
  #lastHeard = 'nothing';
  #awaited: { readonly part: string; missing: number; readonly resolve: () => void } | undefined;
  #isSettingUp = true;
  #question: StampedFrame | undefined;
  #listener: ((text: string) => void) | undefined;
  #isStalled = false;
  /** Whether the server has ended the connection while this client did not read. */
  wasDropped = false;
  /** How many messages, or items, it has received since it was settled. */
  received = 0;

  /** @param failed is told when the server ends the connection */
  constructor(
    number: number,
    port: number,
    private readonly dialect: Dialect,
    private readonly tally: Tally,
    private readonly failed: (error: Error) => void,
  ) {
    const address = Math.floor(number / CLIENTS_PER_ADDRESS);
    this.#heartbeat = dialect.heartbeat && this.#request(dialect.heartbeat.said);
    this.#scanner = dialect.isHttp ? new EventScanner() : new FrameScanner();
    this.#upgrade = dialect.isHttp ? undefined : '';
    this.#socket = connect({
      port,
      host: '127.0.0.1',
      ...(address > 0 && { localAddress: `127.0.0.${1 + address}` }),
      noDelay: true,
      onread: { buffer: READ_BUFFER, callback: (length) => this.#read(length) },
    });
    this.#socket.on('error', (error) => this.#ended(error));
    this.#socket.on('close', () =>
      this.#ended(new Error(`The server has ended a connection. The last it said: ${this.#lastHeard}`)),
    );
  }

  /** Goes through the handshake, and whatever else it takes to be let in. */
  async enter(token: string): Promise<void> {
    const { isHttp, path, opening, greeting, welcome } = this.dialect;
    if (isHttp) return void (await once(this.#socket, 'connect'));
    const request = [
      `GET ${path.replace('{token}', token)} HTTP/1.1`,
      'Host: 127.0.0.1',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Key: dGhlIGJlbmNobWFyayBpcw==',
      'Sec-WebSocket-Version: 13',
    ];
    this.#socket.write(`${request.join('\r\n')}\r\n\r\n`);
    await this.#hear('HTTP/1.1 101');
    if (opening !== undefined) this.#socket.write(this.#request(opening.replace('{token}', token)));
    if (greeting) {
      await this.#hear(greeting.heard);
      this.#socket.write(clientFrame(greeting.said));
    }
    if (welcome !== undefined) await this.#hear(welcome);
  }

  /** Subscribes to topics, all at once, and waits for the acknowledgements. */
  async subscribe(topics: readonly string[]): Promise<void> {
    if (topics.length === 0) return;
    const frames = topics.map((topic) => this.#request(this.dialect.subscribe.replace('{topic}', topic)));
    this.#socket.write(Buffer.concat(frames));
    await this.#hear(this.dialect.subscribed, topics.length);
  }

  /** From here on frames are counted. */
  settle(): void {
    this.#isSettingUp = false;
    this.#heard = [];
  }

  /** Passes every later frame except heartbeats to a listener. @param listener may throw if a frame is not the expected one */
  listen(listener: (text: string) => void): void {
    this.#listener = listener;
  }

  /** Says something. */
  say(text: string): void {
    this.#socket.write(this.#request(text));
  }

  /** Reads nothing from now on; the server may then end the connection. */
  stall(): void {
    this.#isStalled = true;
    this.#socket.pause();
  }

  /** Reads again. */
  goOn(): void {
    this.#socket.resume();
  }

  /** Asks, and asks again when there is an answer. */
  ask(question: StampedFrame): void {
    this.#question = question;
    this.#socket.write(question.at(performance.now()));
  }

  /** The answer that is still due will be the last. */
  stopAsking(): void {
    this.#question = undefined;
  }

  /** Is gone, without a word. */
  leave(): void {
    this.#socket.removeAllListeners('close').resetAndDestroy();
  }

  message(buffer: Buffer, start: number, end: number): void {
    if (this.#listener) return this.#listener(buffer.toString('utf8', start, end));
    if (this.#isSettingUp) return this.#note(buffer.toString('utf8', start, end));
    const count = this.tally.add(buffer, start, end);
    this.received += count;
    if (count === 0) this.#note(buffer.toString('utf8', start, end));
    if (this.#question) this.ask(this.#question);
  }

  other(opcode: number, buffer: Buffer, start: number, end: number): void {
    const text = buffer.toString('utf8', start, end);
    if (opcode === 0x9) this.#socket.write(clientFrame(text, 0xa));
    else if (text === this.dialect.heartbeat?.heard) this.#socket.write(this.#heartbeat!);
    else if (this.#listener && opcode === 0x1) this.#listener(text);
    else this.#note(text);
  }

  #request(text: string): Buffer {
    const { isHttp, isProtobuf } = this.dialect;
    if (isHttp) return Buffer.from(`GET ${text} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n`);
    return clientFrame(isProtobuf ? encodeDelimited(COMMAND, JSON.parse(text) as object) : text);
  }

  #ended(error: Error): void {
    if (!this.#isStalled) return this.failed(error);
    this.wasDropped = true;
  }

  #read(length: number): boolean {
    this.tally.reads += 1;
    try {
      if (this.#upgrade === undefined) this.#scanner.scan(READ_BUFFER, length, this);
      else this.#readUpgrade(this.#upgrade, length);
    } catch (error) {
      this.failed(error as Error);
    }
    return true;
  }

  #readUpgrade(before: string, length: number): void {
    const answer = before + READ_BUFFER.toString('latin1', 0, length);
    const end = answer.indexOf('\r\n\r\n');
    this.#upgrade = end < 0 ? answer : undefined;
    if (end < 0) return;
    this.#note(answer.slice(0, end));
    const rest = Buffer.from(answer.slice(end + 4), 'latin1');
    this.#scanner.scan(rest, rest.length, this);
  }

  #note(text: string): void {
    this.#lastHeard = text;
    if (!this.#isSettingUp) return;
    this.#heard.push(text);
    this.#compare();
  }

  #hear(part: string, times = 1): Promise<void> {
    return new Promise((resolve) => {
      this.#awaited = { part, missing: times, resolve };
      this.#compare();
    });
  }

  #compare(): void {
    const awaited = this.#awaited;
    if (!awaited) return;
    while (awaited.missing > 0 && this.#heard.length > 0) {
      if (this.#heard.shift()!.includes(awaited.part)) awaited.missing -= 1;
    }
    if (awaited.missing > 0) return;
    this.#awaited = undefined;
    awaited.resolve();
  }
}
