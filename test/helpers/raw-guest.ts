import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ReceivedFrame } from 'nestjs-realtime/testing';
import type { RawClient } from './raw-client.js';
import { OPCODE, rawFrame, serverFrames } from './raw-frames.js';

/** A client with an open WebSocket that does by hand what others leave to a library, such as answering pings. */
export class RawGuest {
  constructor(
    readonly client: RawClient,
    readonly userId: string,
    /** The server's end of the same TCP connection. */
    readonly serverSide: Socket,
  ) {}

  /** Resolves once the bytes have been handed to the operating system. */
  write(bytes: Buffer): Promise<void> {
    return this.client.write(bytes);
  }

  /** Answers pings from now on, before anything that is sent later. */
  answerPings(): void {
    let answered = 0;
    this.client.socket.on('data', () => {
      const pings = serverFrames(this.client.received).filter(({ opcode }) => opcode === OPCODE.ping);
      for (const { payload } of pings.slice(answered)) void this.write(rawFrame({ opcode: OPCODE.pong, payload }));
      answered = pings.length;
    });
  }

  /** Stops reading. */
  pause(): void {
    this.client.socket.pause();
  }

  /** Waits until the server has read nothing more from it for a while, counted in turns of the event loop. */
  async isLeftUnread(): Promise<void> {
    let read = -1;
    for (let quiet = 0; quiet < 200; quiet++) {
      if (this.serverSide.bytesRead !== read) quiet = 0;
      read = this.serverSide.bytesRead;
      await nextTurn();
    }
  }

  /** The parsed frames of the server. */
  get said(): ReceivedFrame[] {
    return textIn(this.client.received);
  }

  /** True once a pong or a close frame has come. */
  get hasControlFrame(): boolean {
    return serverFrames(this.client.received).some(({ opcode }) => opcode >= OPCODE.close);
  }

  /** How many WebSocket pings have come. */
  get pings(): number {
    return serverFrames(this.client.received).filter(({ opcode }) => opcode === OPCODE.ping).length;
  }

  /** Waits for a frame of this type. */
  hears(type: string): Promise<ReceivedFrame> {
    return this.client.until((received) => textIn(received).find((frame) => frame.type === type), type);
  }

  /** Waits for the answer to a command. */
  answer(id: string | number): Promise<ReceivedFrame> {
    return this.client.until((received) => textIn(received).find((frame) => frame.id === id), `An answer to ${id}`);
  }

  /** Waits for so many frames of a kind. */
  async receives(opcode: number, count = 1): Promise<void> {
    const enough = (received: string) =>
      serverFrames(received).filter((frame) => frame.opcode === opcode).length >= count;
    await this.client.until((received) => enough(received) || undefined, `${count} frames with opcode ${opcode}`);
  }

  /** Waits for the close frame. @returns its code */
  closeCode(): Promise<number> {
    const find = (received: string) => serverFrames(received).find(({ opcode }) => opcode === OPCODE.close);
    return this.client.until((received) => find(received)?.payload.readUInt16BE(), 'A close frame');
  }
}

function textIn(received: string): ReceivedFrame[] {
  return serverFrames(received)
    .filter(({ opcode }) => opcode === OPCODE.text)
    .map(({ payload }) => JSON.parse(payload.toString()) as ReceivedFrame);
}
