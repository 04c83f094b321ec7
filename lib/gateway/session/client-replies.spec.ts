import { beforeEach, describe, expect, it } from 'vitest';
import { collectLogs } from '../../../test/helpers/handler-harness.js';
import { JsonCodec } from '../../codecs/json/json-codec.js';
import type { WireError } from '../../core/protocol/error-code.js';
import { Timestamps } from '../../delivery/timestamps.js';
import type { ConnectionSocket } from '../../ports/connection-socket.js';
import type { Frame } from '../../ports/frame.js';
import { ClientReplies } from './client-replies.js';
import { NodeMeter } from '../../delivery/node-meter.js';
import { RealtimeTracing } from '../../ports/realtime-tracing.js';

const MISTAKE: WireError = { code: 'INVALID_MESSAGE', message: 'No.' };

let sent: Record<string, any>[];
let ended: string[];
let now: number;

beforeEach(() => {
  sent = [];
  ended = [];
  now = 0;
});

/** The replies to a client that is forgiven that many mistakes in a minute. */
function repliesOf(forgiven = 2): ClientReplies {
  const socket: ConnectionSocket = {
    codec: new JsonCodec({ maxDepth: 32, maxKeys: 1_000, maxValues: 10_000 }),
    send: ({ payload }: Frame) => void sent.push(JSON.parse(String(payload))),
    close: () => undefined,
    written: () => undefined,
    hasRoomFor: () => true,
  };
  const mistakeRate = { perSecond: forgiven / 60, burst: forgiven };
  const clock = { now: () => now };
  const services = {
    clock,
    timestamps: new Timestamps(clock),
    mistakeRate,
    meter: new NodeMeter(),
    tracing: new RealtimeTracing(),
  };
  return new ClientReplies(socket, services, { disconnect: (code) => void ended.push(code) });
}

describe('what a client is told', () => {
  it('has the time of the clock', () => {
    now = 1_000;
    repliesOf().push({ kind: 'pong', id: 1 });
    expect(sent).toEqual([{ type: 'realtime:pong', id: 1, timestamp: '1970-01-01T00:00:01.000Z' }]);
  });

  it('about an error has the id of the command, if it had one', () => {
    repliesOf().fail(MISTAKE, 7);
    repliesOf().fail(MISTAKE);
    expect(sent.map(({ id }) => id)).toEqual([7, undefined]);
  });

  it('about an error that cannot be written is INTERNAL, and where it happened', () => {
    collectLogs();
    repliesOf().fail({ code: 'FORBIDDEN', message: 'No.', action: 'message', topic: 'desk', details: 1n }, 7);
    expect(sent).toMatchObject([{ id: 7, payload: { code: 'INTERNAL', action: 'message', topic: 'desk' } }]);
  });

  it('about an error that cannot be written is logged', () => {
    const logs = collectLogs();
    repliesOf().fail({ code: 'FORBIDDEN', message: 'No.', details: 1n });
    expect(logs).toEqual([expect.stringContaining('FORBIDDEN')]);
  });
});

describe('a client that makes mistakes', () => {
  const mistakes = (to: ClientReplies, count: number, error = MISTAKE) => {
    for (let n = 0; n < count; n++) to.refuse(error);
  };

  it('is told each of them, and goes on', () => {
    mistakes(repliesOf(), 2);
    expect([sent.length, ended]).toEqual([2, []]);
  });

  it('is ended when it makes one too many', () => {
    mistakes(repliesOf(), 3);
    expect([sent.length, ended]).toEqual([3, ['TOO_MANY_ERRORS']]);
  });

  it('is ended in another way when it is too fast', () => {
    mistakes(repliesOf(), 3, { code: 'RATE_LIMITED', message: 'Slow down.' });
    expect(ended).toEqual(['TOO_MANY_REQUESTS']);
  });

  it('is forgiven with time', () => {
    const one = repliesOf();
    mistakes(one, 2);
    now += 60_000;
    mistakes(one, 2);
    expect(ended).toEqual([]);
  });

  it('is not blamed for what fails without its doing', () => {
    const one = repliesOf();
    for (let n = 0; n < 10; n++) one.fail(MISTAKE);
    expect(ended).toEqual([]);
  });

  it('is forgiven everything where there is no limit', () => {
    mistakes(repliesOf(Infinity), 1_000);
    expect(ended).toEqual([]);
  });
});
