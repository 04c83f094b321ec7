import type { Provider } from '@nestjs/common';
import { JwtVerifier, type RealtimeOptions } from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { CentrifugeCodec } from '../../../lib/codecs/centrifuge/centrifuge-codec.js';
import { CentrifugeProtobufCodec } from '../../../lib/codecs/centrifuge/centrifuge-protobuf-codec.js';
import type { Decoded } from '../../../lib/ports/codec.js';
import { SocketEndpoint } from '../../../lib/gateway/session/socket-endpoint.js';
import { commandFrame } from '../../helpers/protobuf-lines.js';
import type { RawGuest } from '../../helpers/raw-guest.js';
import { OPCODE, rawFrame } from '../../helpers/raw-frames.js';
import { NO_HARM, Scene } from '../../helpers/scene.js';
import { GatedVerifier } from '../../helpers/slow-verifier.js';

const KB = 1_024;
const CONNECT = { id: 1, connect: { token: testToken('bad') } };

/** Every beat is a ping, so that clients can count how much time they have had. */
const OFTEN = { intervalMs: 20, timeoutMs: 60_000 };

function stage(options: RealtimeOptions = {}, ports: Provider[] = []): Promise<Scene> {
  return Scene.set({ options: { centrifuge: true, ...options }, ports });
}

/** Somebody at the path of the SDKs who has said nothing yet. */
function visit(scene: Scene, query = ''): Promise<RawGuest> {
  return scene.raw({ token: false, path: `/ws/connection/websocket${query}` });
}

/** Commands in one frame. */
function frameOf(...commands: readonly object[]): Buffer {
  return rawFrame({ payload: commands.map((command) => JSON.stringify(command)).join('\n') });
}

/** So many commands that cost next to nothing, with the ids from 2 on. */
function cheap(count: number, filling = ''): readonly object[] {
  return Array.from({ length: count }, (_, n) => ({ id: n + 2, unsubscribe: { channel: 'a', filling } }));
}

/** So many questions about a topic that does not exist. */
function questions(count: number): readonly object[] {
  return Array.from({ length: count }, (_, n) => ({ id: n + 2, presence: { channel: 'a' } }));
}

describe('a frame that is larger than one may be', () => {
  const tooLarge = frameOf(CONNECT, ...cheap(70, 'x'.repeat(KB)));

  it('ends the connection, and none of its commands is carried out', async () => {
    const scene = await stage();
    const guest = await visit(scene);
    await scene.during(() => guest.write(tooLarge));
    expect([await guest.closeCode(), guest.said, await scene.harm()]).toEqual([1009, [], NO_HARM]);
  });

  it('twin: with maxMessageBytes: Infinity is carried out', async () => {
    const scene = await stage({ limits: { maxMessageBytes: Infinity } });
    const guest = await visit(scene);
    await guest.write(tooLarge);
    expect(await guest.answer(71)).toEqual({ id: 71, unsubscribe: {} });
  });
});

describe('a frame of 65,536 line feeds', () => {
  const lineFeeds = rawFrame({ payload: '\n'.repeat(65_536) });

  it('ends the connection at the first of them', async () => {
    const parse = vi.spyOn(JSON, 'parse');
    onTestFinished(() => parse.mockRestore());
    const scene = await stage();
    const guest = await visit(scene);
    parse.mockClear();
    await scene.during(() => guest.write(lineFeeds));
    const close = await guest.closeCode();
    expect(parse.mock.calls.length).toBeLessThan(10);
    expect([close, await scene.harm()]).toEqual([3501, NO_HARM]);
  });

  it('twin: is decoded to its end by a decoder that reads all lines before the first is judged', async () => {
    const decode = CentrifugeCodec.prototype.decode;
    const eager = vi.spyOn(CentrifugeCodec.prototype, 'decode').mockImplementation(function (
      this: CentrifugeCodec,
      frame,
    ) {
      return { batch: frame.split('\n').map((line) => decode.call(this, line) as Decoded) };
    });
    onTestFinished(() => eager.mockRestore());
    const scene = await stage();
    const guest = await visit(scene);
    await guest.write(lineFeeds);
    expect(await guest.closeCode()).toBe(3501);
    const [batch] = eager.mock.results.map(({ value }) => (value as { batch: readonly Decoded[] }).batch);
    expect(batch!.length).toBe(65_537);
  });
});

describe('commands that come in the same frame as the first, more than may come at once,', () => {
  const many = frameOf(CONNECT, ...questions(4_000));
  const LIMITS = { maxMessageBytes: 1_000_000 };

  it('are refused with 111, and leave the connection open', async () => {
    const scene = await stage({ limits: LIMITS });
    const guest = await visit(scene);
    await scene.during(() => guest.write(many));
    expect(await guest.answer(4_001)).toMatchObject({ error: { code: 111 } });
    expect([guest.serverSide.destroyed, await scene.harm()]).toEqual([false, NO_HARM]);
  });

  it('twin: without a rate are all carried out', async () => {
    const scene = await stage({ limits: { ...LIMITS, commandsPerSecond: Infinity, commandBurst: Infinity } });
    const guest = await visit(scene);
    await guest.write(many);
    expect(await guest.answer(4_001)).toMatchObject({ error: { code: 102 } });
  });
});

describe('in the Protobuf form', () => {
  const binary = (payload: Buffer) => rawFrame({ opcode: OPCODE.binary, payload });

  it.each([
    ['65,536 answers to no ping', Buffer.alloc(65_536), 3501],
    ['one field 21,000 times', Buffer.from(`abc203${'0a0161'.repeat(21_000)}`, 'hex'), 3501],
    ['a length of 4 GB', Buffer.from('8080808010', 'hex'), 3501],
  ])('%s end the connection', async (_what, payload, code) => {
    const scene = await stage();
    const guest = await visit(scene, '?format=protobuf');
    await scene.during(() => guest.write(binary(payload)));
    expect([await guest.closeCode(), await scene.harm()]).toEqual([code, NO_HARM]);
  });

  it('as many commands as fit behind the first are answered, and leave the connection open', async () => {
    const scene = await stage();
    const guest = await visit(scene, '?format=protobuf');
    await scene.during(() => guest.write(binary(commandFrame(CONNECT, ...questions(4_000)))));
    await guest.receives(OPCODE.binary, 4_001);
    expect([guest.serverSide.destroyed, await scene.harm()]).toEqual([false, NO_HARM]);
  });

  /** Sends 65,536 empty commands in one frame, all of them wrong. @returns how many were decoded until the connection was closed */
  async function decodedOf(read: (commands: Iterable<Decoded>) => Iterable<Decoded>): Promise<number> {
    let count = 0;
    function* counted(commands: Iterable<Decoded>) {
      for (const each of commands) {
        count += 1;
        yield each;
      }
    }
    const { decode } = CentrifugeProtobufCodec.prototype;
    const spy = vi.spyOn(CentrifugeProtobufCodec.prototype, 'decode').mockImplementation(function (
      this: CentrifugeProtobufCodec,
      frame,
    ) {
      const decoded = decode.call(this, frame);
      return 'batch' in decoded ? { batch: read(counted(decoded.batch)) } : decoded;
    });
    onTestFinished(() => spy.mockRestore());
    const guest = await visit(await stage(), '?format=protobuf');
    await guest.write(binary(Buffer.alloc(65_536)));
    expect(await guest.closeCode()).toBe(3501);
    return count;
  }

  it('the commands behind the one that closes the connection are not decoded', async () => {
    expect(await decodedOf((commands) => commands)).toBeLessThan(10);
  });

  it('twin: as many as a frame may hold are decoded by a decoder that reads them all before the first is judged', async () => {
    expect(await decodedOf((commands) => [...commands])).toBeGreaterThanOrEqual(4_096);
  });
});

describe('commands that come while the first is being judged', () => {
  const FLOOD = Buffer.concat(cheap(10_000, 'x'.repeat(KB)).map((command) => frameOf(command)));

  /** Writes 10 MB of commands behind the first, as fast as they are taken. */
  async function flood(): Promise<{ readonly scene: Scene; readonly guest: RawGuest; readonly judge: GatedVerifier }> {
    const judge = new GatedVerifier();
    const scene = await stage({}, [{ provide: JwtVerifier, useValue: judge }]);
    judge.hold();
    onTestFinished(() => judge.release());
    const guest = await visit(scene);
    guest.client.socket.write(Buffer.concat([frameOf(CONNECT), FLOOD]));
    await judge.isAskedAbout(1);
    return { scene, guest, judge };
  }

  it('are left in the socket', async () => {
    const { scene, guest, judge } = await flood();
    await scene.during(() => guest.isLeftUnread());
    // The rest of the chunk that the system delivered together with the first frame.
    expect(guest.serverSide.bytesRead).toBeLessThan(192 * KB);
    judge.release();
    expect(await scene.harm()).toEqual(NO_HARM);
  });

  it('twin: are all taken in when reading is not stopped', async () => {
    const pauseReading = vi.spyOn(SocketEndpoint.prototype, 'pauseReading').mockReturnValue();
    onTestFinished(() => pauseReading.mockRestore());
    const { guest } = await flood();
    await expect.poll(() => guest.serverSide.bytesRead, { timeout: 20_000 }).toBeGreaterThan(FLOOD.length);
  });
});

describe('a client that never says who it is', () => {
  it('is closed when its time is over', async () => {
    const scene = await stage({ limits: { authTimeoutMs: 200 }, heartbeat: OFTEN });
    const guest = await visit(scene);
    expect([await guest.closeCode(), await scene.harm()]).toEqual([3502, NO_HARM]);
  });

  it('is closed although it sends its first command byte by byte', async () => {
    const scene = await stage({ limits: { authTimeoutMs: 200 }, heartbeat: OFTEN });
    const guest = await visit(scene);
    const first = frameOf(CONNECT);
    const closing = guest.closeCode();
    for (let beat = 1; beat <= 10; beat++) {
      await guest.receives(OPCODE.ping, beat);
      await guest.write(first.subarray(beat - 1, beat));
    }
    expect([await closing, await scene.harm()]).toEqual([3502, NO_HARM]);
  });

  it('twin: with an authTimeoutMs of weeks stays', async () => {
    const scene = await stage({ limits: { authTimeoutMs: 2_147_483_647 }, heartbeat: OFTEN });
    const guest = await visit(scene);
    await guest.receives(OPCODE.ping, 30);
    await guest.write(frameOf(CONNECT));
    expect(await guest.answer(1)).toHaveProperty('connect');
  });
});
