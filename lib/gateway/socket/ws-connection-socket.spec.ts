import { EventEmitter } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ServedWebSocket } from './served-web-socket.js';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { JsonCodec } from '../../codecs/json/json-codec.js';
import { Frame } from '../../ports/frame.js';
import { ByteBudget } from './byte-budget.js';
import { compressedFrame, messageFrame } from './websocket-frame.js';
import { FlushQueue } from './flush-queue.js';
import { WsConnectionSocket } from './ws-connection-socket.js';
import { NodeMeter, type ProtocolMeter } from '../../delivery/node-meter.js';

const codec = new JsonCodec({ maxDepth: 32, maxKeys: 1_000, maxValues: 10_000 });

/** The TCP socket below: it keeps what is written, and takes none of it while it `isStuck`. */
class FakeRawSocket extends EventEmitter {
  writable = true;
  writableNeedDrain = false;
  isStuck = false;
  writableLength = 0;
  /** The answer to the upgrade request left before. */
  bytesWritten = 129;

  readonly calls: Buffer[] = [];
  write = (bytes: Buffer, done?: () => void) => {
    if (bytes.length > 0) this.calls.push(bytes);
    this.bytesWritten += bytes.length;
    if (this.isStuck) this.writableLength += bytes.length;
    if (done) this.once('written', done);
  };
}

let raw: FakeRawSocket;
let budget: ByteBudget;
let batch: FlushQueue;
const closes: string[] = [];
const onSlow = vi.fn();

beforeEach(() => {
  raw = new FakeRawSocket();
  budget = new ByteBudget(10_000_000);
  batch = new FlushQueue();
  meter = new NodeMeter().protocol('json');
  closes.length = 0;
  onSlow.mockReset();
});

let meter: ProtocolMeter;

function open(maxQueueBytes = 1_000, extensions = ''): WsConnectionSocket {
  const ws = {
    _socket: raw,
    extensions,
    close: (code: number, reason: string) => void closes.push(`${code} ${reason}`),
    closeDeaf: (code: number, reason: string) => void closes.push(`deaf ${code} ${reason}`),
    terminate: () => void closes.push('terminated'),
  };
  const share = { batch, budget, maxQueueBytes, compressedFrame: compressedFrame, meter };
  return new WsConnectionSocket(ws as unknown as ServedWebSocket, codec, share, { tooSlow: onSlow });
}

const A = new Frame('{"a":1}');
const B = new Frame('{"b":2}');

/** Queues more sockets than a turn has time for: each write takes a millisecond of the queue's clock. */
function crowd(): void {
  let now = 0;
  batch = new FlushQueue(() => now);
  for (let n = 0; n < 1_000; n++) batch.add({ flush: () => void (now += 1) });
}

const bytesOf = (frame: Frame) => frame.bytes(messageFrame);
const joined = (...frames: Frame[]) => Buffer.concat(frames.map(bytesOf));

describe('an answer', () => {
  it('does not wait until a large send has reached all others, and comes behind what the client got of it', async () => {
    crowd();
    const socket = open();
    socket.send(A);
    await nextTurn();
    socket.send(B, true);
    await nextTurn();
    expect(raw.calls).toEqual([joined(A, B)]);
  });

  it('twin: a frame of another send waits', async () => {
    crowd();
    const socket = open();
    socket.send(A);
    await nextTurn();
    socket.send(B);
    await nextTurn();
    expect(raw.calls).toEqual([]);
  });

  it('takes one place in the queue with the others of its turn, and another one in the next', async () => {
    const queued = vi.spyOn(batch, 'addFirst');
    const socket = open();
    socket.send(A, true);
    socket.send(B, true);
    await nextTurn();
    socket.send(A, true);
    await nextTurn();
    expect([raw.calls, queued.mock.calls.length]).toEqual([[joined(A, B), bytesOf(A)], 2]);
  });
});

describe('frames that are sent in one turn', () => {
  it('leave when the turn ends', async () => {
    const socket = open();
    socket.send(A);
    const early = [...raw.calls];
    await nextTurn();
    expect([early, raw.calls]).toEqual([[], [bytesOf(A)]]);
  });

  it('leave with a flush that was promised, and take no place in the queue', () => {
    const socket = open();
    const queued = vi.spyOn(batch, 'add');
    socket.awaitFlush();
    socket.send(A);
    socket.send(B);
    const early = [...raw.calls];
    socket.flush();
    expect([early, raw.calls, queued.mock.calls]).toEqual([[], [joined(A, B)], []]);
  });

  it('leave when the turn ends again, once the promised flush was made', async () => {
    const socket = open();
    socket.awaitFlush();
    socket.flush();
    socket.send(A);
    await nextTurn();
    expect(raw.calls).toEqual([bytesOf(A)]);
  });

  it('leave in their order and in one write', async () => {
    const socket = open();
    socket.send(A);
    socket.send(B);
    await nextTurn();
    expect(raw.calls).toEqual([joined(A, B)]);
  });

  it('leave once', async () => {
    const socket = open();
    socket.send(A);
    await nextTurn();
    socket.send(B);
    await nextTurn();
    expect(raw.calls).toEqual([bytesOf(A), bytesOf(B)]);
  });

  it('are the same bytes for all sockets', async () => {
    const [one, other] = [open(), open()];
    for (const socket of [one, other]) socket.send(A);
    for (const socket of [one, other]) socket.send(B);
    await nextTurn();
    expect(raw.calls[0]).toBe(raw.calls[1]);
  });

  it('leave at once when they are large', () => {
    const socket = open(Infinity);
    socket.send(new Frame('x'.repeat(70_000)));
    expect(raw.calls).toHaveLength(1);
  });

  it('keep their order when a large one is among them', async () => {
    const [socket, large] = [open(Infinity), new Frame('x'.repeat(70_000))];
    for (const frame of [A, large, B]) socket.send(frame);
    await nextTurn();
    expect(raw.calls).toEqual([joined(A, large), bytesOf(B)]);
  });

  it('are dropped when the socket can no longer be written', async () => {
    const socket = open();
    raw.writable = false;
    socket.send(A);
    await nextTurn();
    expect(raw.calls).toEqual([]);
  });
});

describe('a socket that has agreed to compression', () => {
  it('gets the frame that was made for those, and the others theirs', async () => {
    const frame = new Frame('z'.repeat(2_000));
    for (const extensions of ['', 'permessage-deflate', 'permessage-deflate']) open(1_000, extensions).send(frame);
    await nextTurn();
    expect(raw.calls).toEqual([messageFrame(frame.payload), ...Array(2).fill(compressedFrame(frame.payload))]);
    expect(raw.calls[1]).toBe(raw.calls[2]);
  });
});

describe('a socket that is held', () => {
  it('lets leave what was sent before', () => {
    const socket = open();
    socket.send(A);
    socket.hold();
    expect(raw.calls).toEqual([bytesOf(A)]);
  });

  it('keeps what is sent from then on, even if something had been sent in the same turn', async () => {
    const socket = open();
    socket.send(A);
    socket.hold();
    socket.send(B);
    await nextTurn();
    expect(raw.calls).toEqual([bytesOf(A)]);
  });

  it('sends what it kept behind what comes first at its release', async () => {
    const socket = open();
    socket.hold();
    socket.send(B);
    socket.release(() => socket.send(A));
    await nextTurn();
    expect(raw.calls).toEqual([joined(A, B)]);
  });

  it('drops what it kept when what comes first at its release is too much for the peer', async () => {
    const socket = open();
    socket.hold();
    socket.send(A);
    socket.release(() => socket.close('SLOW'));
    await nextTurn();
    expect([raw.calls, closes]).toEqual([[], ['3008 slow consumer, reads too slowly']]);
  });

  it('sends as ever after its release', async () => {
    const socket = open();
    socket.hold();
    socket.release(() => undefined);
    socket.send(A);
    await nextTurn();
    expect(raw.calls).toEqual([bytesOf(A)]);
  });

  it('is slow when more is sent to it than may wait', () => {
    const socket = open(bytesOf(A).length);
    socket.hold();
    socket.send(A);
    const early = onSlow.mock.calls.length;
    socket.send(B);
    expect([early, onSlow.mock.calls.length]).toEqual([0, 1]);
  });

  it('counts against the budget of the node with what it keeps, until that is let go', async () => {
    const socket = open();
    socket.hold();
    socket.send(A);
    const during = budget.total;
    socket.release(() => undefined);
    await nextTurn();
    expect([during, budget.total]).toEqual([bytesOf(A).length, 0]);
  });

  it('counts no longer once it is closed', () => {
    const socket = open();
    socket.hold();
    socket.send(A);
    socket.close('SERVER_ERROR');
    expect(budget.total).toBe(0);
  });

  it('says nothing of what it kept when it is closed', async () => {
    const socket = open();
    socket.hold();
    socket.send(A);
    socket.close('SERVER_ERROR');
    await nextTurn();
    expect([raw.calls, closes]).toEqual([[], ['3004 server failed to handle the connection']]);
  });
});

describe('waiting for a peer to read', () => {
  it('is not needed while nothing waits for it', () => {
    expect(open().drained()).toBeUndefined();
  });

  it('ends with the drain, with one listener for all who wait', async () => {
    raw.writableNeedDrain = true;
    raw.writableLength = 1;
    const socket = open();
    const [one, other] = [socket.drained(), socket.drained()];
    expect([one === other, raw.listenerCount('drain')]).toEqual([true, 1]);
    raw.emit('drain');
    await one;
    expect(socket.drained()).toBeInstanceOf(Promise);
    expect(raw.listenerCount('drain')).toBe(1);
  });
});

describe('judging whether a peer takes what it is sent', () => {
  it('finds nothing waiting while the frames of this turn are few', () => {
    const socket = open();
    raw.isStuck = true;
    socket.send(A);
    expect([socket.written(), raw.calls]).toEqual([undefined, []]);
  });

  it('writes the frames of this turn first when they are many', () => {
    const socket = open(1_000_000);
    raw.isStuck = true;
    socket.send(new Frame('x'.repeat(20_000)));
    expect([socket.written() instanceof Promise, raw.calls.length]).toEqual([true, 1]);
  });

  it('waits until everything has left, once for all who ask', async () => {
    const socket = open();
    raw.writableLength = 5;
    const [one, other] = [socket.written(), socket.written()];
    raw.writableLength = 0;
    raw.emit('written');
    await one;
    expect([one === other, socket.written()]).toEqual([true, undefined]);
  });

  it('writes nothing more to a peer that is gone', () => {
    const socket = open();
    raw.writableLength = 5;
    raw.writable = false;
    expect([socket.written() instanceof Promise, raw.listenerCount('written')]).toEqual([true, 0]);
  });

  it.each([
    ['nothing waits', 0, 5_000, true],
    ['half of the queue is not exceeded', 100, 400, true],
    ['half of the queue is exceeded', 100, 401, false],
  ])('has room for a frame that may be left out when %s: %d + %d bytes', (_when, waiting, bytes, hasRoom) => {
    raw.writableLength = waiting;
    expect(open().hasRoomFor(bytes)).toBe(hasRoom);
  });

  it('counts the frames of this turn', () => {
    const socket = open();
    socket.send(new Frame('x'.repeat(300)));
    expect([socket.hasRoomFor(100), socket.hasRoomFor(300)]).toEqual([true, false]);
  });
});

describe('closing', () => {
  it('lets leave what was sent before', () => {
    const socket = open();
    socket.send(A);
    socket.close('FORCED', 'enough');
    expect([raw.calls, closes]).toEqual([[bytesOf(A)], ['3503 enough']]);
  });

  it('drops what is sent afterwards', async () => {
    const socket = open();
    socket.close('FORCED');
    socket.send(A);
    await nextTurn();
    expect(raw.calls).toEqual([]);
  });

  it('for abuse stops parsing what the peer sends', () => {
    open().close('TOO_MANY_ERRORS');
    expect(closes).toEqual(['deaf 3509 too many errors']);
  });

  it('gives the reason that goes with the code, unless there is another one', () => {
    open().close('SHUTDOWN');
    expect(closes).toEqual(['3001 server is shutting down, please reconnect']);
  });

  it('by the peer lets leave what was sent before, and drops what is sent afterwards', async () => {
    const socket = open();
    socket.send(A);
    socket.closing();
    socket.send(B);
    await nextTurn();
    expect(raw.calls).toEqual([bytesOf(A)]);
  });

  it('happens once', () => {
    const socket = open();
    socket.close('FORCED', 'first');
    socket.close('FORCED', 'second');
    expect(closes).toEqual(['3503 first']);
  });

  it('gives a slow reader nothing more', () => {
    const socket = open();
    socket.send(A);
    socket.close('SLOW');
    expect([raw.calls, closes]).toEqual([[], ['3008 slow consumer, reads too slowly']]);
  });

  it('at once drops what has not left', async () => {
    const socket = open();
    socket.send(A);
    socket.terminate();
    await nextTurn();
    expect([raw.calls, closes]).toEqual([[], ['terminated']]);
  });
});

describe('a peer that does not read', () => {
  beforeEach(() => {
    raw.isStuck = true;
  });

  it('is slow once more waits than may', async () => {
    const socket = open(bytesOf(A).length);
    socket.send(A);
    await nextTurn();
    const early = onSlow.mock.calls.length;
    socket.send(B);
    await nextTurn();
    expect([early, onSlow.mock.calls.length]).toEqual([0, 1]);
  });

  it('is not slow while as much waits as may', async () => {
    const socket = open(bytesOf(A).length);
    socket.send(A);
    await nextTurn();
    expect(onSlow).not.toHaveBeenCalled();
  });

  it('counts against the budget of the node until it has gone', async () => {
    const socket = open();
    socket.send(A);
    await nextTurn();
    const during = budget.total;
    socket.closed();
    expect([during, budget.total]).toEqual([bytesOf(A).length, 0]);
  });

  it('is stalled when it has taken nothing for longer than it may', async () => {
    const socket = open();
    socket.send(A);
    await nextTurn();
    expect([1, 2, 3, 4].map(() => socket.isStalled(2))).toEqual([false, false, false, true]);
  });

  it('is not stalled while it takes something', async () => {
    const socket = open();
    socket.send(A);
    await nextTurn();
    const stalled = [1, 2, 3, 4, 5].map(() => {
      raw.writableLength -= 1;
      return socket.isStalled(1);
    });
    expect(stalled).not.toContain(true);
  });

  it('is not stalled when nothing waits for it', () => {
    const socket = open();
    expect([1, 2, 3].map(() => socket.isStalled(0))).toEqual([false, false, false]);
  });
});
