import fc from 'fast-check';
import { CurrentConnection, MessageBody, OnMessage, OnSubscribe, TopicGateway } from 'nestjs-realtime';
import type { RealtimeConnection, RealtimeLimits } from 'nestjs-realtime';
import { describe, expect, it } from 'vitest';
import { collectLogs } from '../../helpers/handler-harness.js';
import type { RawGuest } from '../../helpers/raw-guest.js';
import { commandFrame, rawFrame } from '../../helpers/raw-frames.js';
import { NO_HARM, Scene } from '../../helpers/scene.js';

@TopicGateway('desk')
class DeskTopic {
  @OnSubscribe()
  join(@MessageBody() payload: unknown) {
    return { info: payload };
  }

  @OnMessage('echo', { requireSubscription: false })
  echo(@MessageBody() payload: unknown) {
    return payload;
  }

  /** As careless applications do it. */
  @OnMessage('merge', { requireSubscription: false })
  merge(@MessageBody() payload: object, @CurrentConnection() me: RealtimeConnection) {
    return { isAdmin: 'admin' in Object.assign({}, payload), metadata: 'admin' in me.metadata };
  }
}

/** Without the limits on how fast and how wrong a client may be, which would end a fuzzer too early. */
const TIRELESS = { commandsPerSecond: Infinity, commandBurst: Infinity, maxViolationsPerMinute: Infinity };

const stage = (limits: RealtimeLimits = {}) =>
  Scene.set({ providers: [DeskTopic], options: { limits: { ...TIRELESS, ...limits } } });

/** A message with this text as its payload, word for word. */
const echo = (payload: string, id: string | number = 1) =>
  `{"action":"message","topic":"desk","type":"echo","id":${JSON.stringify(id)},"payload":${payload}}`;

/** The answer to a frame: its type, and the code or the payload. */
async function answerTo(guest: RawGuest, frame: string): Promise<unknown[]> {
  await guest.write(rawFrame({ payload: frame }));
  // Unlike a ping, this waits its turn.
  await guest.write(commandFrame({ action: 'unsubscribe', topic: 'desk', id: 'behind' }));
  await guest.answer('behind');
  const { type, payload } = guest.said.find((said) => said.type !== 'realtime:welcome' && said.id !== 'behind')!;
  return type === 'realtime:error' ? [type, payload.code] : [type, payload];
}

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
const ERROR = 'realtime:error';
const REPLY = 'realtime:reply';

const CASES: [what: string, frame: string, answer: unknown[]][] = [
  ['64 KB of [', '['.repeat(65_536), [ERROR, 'INVALID_MESSAGE']],
  ['64 KB of {"a":', '{"a":'.repeat(13_107), [ERROR, 'INVALID_MESSAGE']],
  ['32,000 levels of lists', echo(nested(32_000)), [ERROR, 'LIMIT_EXCEEDED']],
  ['10,000 levels of objects', echo('{"a":'.repeat(10_000) + '1' + '}'.repeat(10_000)), [ERROR, 'LIMIT_EXCEEDED']],
  ['33 levels', echo(nested(32)), [ERROR, 'LIMIT_EXCEEDED']],
  ['20,000 entries', echo(`[${'0,'.repeat(19_999)}0]`), [ERROR, 'LIMIT_EXCEEDED']],
  ['5,000 keys', echo(JSON.stringify(Object.fromEntries(keys(5_000)))), [ERROR, 'LIMIT_EXCEEDED']],
  ['a number below doubles', echo('1e-400'), [REPLY, 0]],
  ['minus zero', echo('-0'), [REPLY, 0]],
  ['an integer beyond 2^53', echo('9007199254740993'), [REPLY, 9007199254740992]],
  ['an id beyond doubles', '{"action":"ping","id":1e400}', [ERROR, 'INVALID_MESSAGE']],
  ['an id that is no integer', '{"action":"ping","id":0.1}', [ERROR, 'INVALID_MESSAGE']],
  ['an id that is minus zero', '{"action":"ping","id":-0}', ['realtime:pong', undefined]],
  ['a lone surrogate', echo('"\\ud800"'), [REPLY, '\ud800']],
  ['a lone surrogate as the id', '{"action":"ping","id":"\\udfff"}', ['realtime:pong', undefined]],
  ['a lone surrogate as the topic', '{"action":"subscribe","id":1,"topic":"\\ud800"}', [ERROR, 'VALIDATION_FAILED']],
  ['a zero byte in the topic', '{"action":"subscribe","id":1,"topic":"desk\\u0000"}', [ERROR, 'VALIDATION_FAILED']],
  ['the same key twice', '{"action":"subscribe","id":1,"topic":"desk","topic":"#"}', [ERROR, 'VALIDATION_FAILED']],
  [
    'the same key 5,000 times',
    `{${'"action":"x",'.repeat(4_999)}"action":"ping","id":1}`,
    ['realtime:pong', undefined],
  ],
  ['an action of the prototype', '{"action":"constructor","id":1}', [ERROR, 'UNKNOWN_ACTION']],
  ['an action called __proto__', '{"action":"__proto__","id":1}', [ERROR, 'UNKNOWN_ACTION']],
  ['a topic called __proto__', '{"action":"subscribe","id":1,"topic":"__proto__"}', [ERROR, 'TOPIC_NOT_FOUND']],
  ['a topic called constructor', '{"action":"subscribe","id":1,"topic":"constructor"}', [ERROR, 'TOPIC_NOT_FOUND']],
  ['fields in __proto__', '{"__proto__":{"action":"ping","id":1}}', [ERROR, 'INVALID_MESSAGE']],
];

function keys(count: number): [string, number][] {
  return Array.from({ length: count }, (_, n) => [`k${n}`, n]);
}

describe('JSON with', () => {
  it.each(CASES)('%s is answered, and does nothing else', async (_what, frame, answer) => {
    const logs = collectLogs();
    const scene = await stage();
    const guest = await scene.raw();
    const answered = await scene.during(() => answerTo(guest, frame));
    expect([answered, logs, await scene.harm()]).toEqual([answer, [], NO_HARM]);
  });

  it.each([
    ['a number beyond doubles', '[1e400]'],
    ['a number of 60,000 digits', `[${'9'.repeat(60_000)}]`],
  ])('%s is Infinity, which a reply cannot carry, and does nothing else', async (_what, payload) => {
    const logs = collectLogs();
    const scene = await stage();
    const guest = await scene.raw();
    const answered = await scene.during(() => answerTo(guest, echo(payload)));
    expect([answered, await scene.harm()]).toEqual([[ERROR, 'INTERNAL'], NO_HARM]);
    expect(logs).toEqual([expect.stringContaining('reply[0] is Infinity')]);
  });
});

describe('a payload with __proto__', () => {
  const attack = '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}';

  it('pollutes nothing that others use', async () => {
    const scene = await stage();
    await answerTo(await scene.raw(), echo(attack));
    const other = await answerTo(await scene.raw(), echo('{}').replace('echo', 'merge'));
    expect([other, 'admin' in {}]).toEqual([[REPLY, { isAdmin: false, metadata: false }], false]);
  });

  it('reaches a handler as it was written', async () => {
    const scene = await stage();
    const guest = await scene.raw();
    await guest.write(rawFrame({ payload: echo(attack) }));
    await guest.answer(1);
    expect(guest.client.received).toContain(attack);
  });

  it('twin: is an attack on a handler that merges it carelessly', async () => {
    const scene = await stage();
    const answered = await answerTo(await scene.raw(), echo(attack).replace('echo', 'merge'));
    expect(answered).toEqual([REPLY, { isAdmin: true, metadata: false }]);
  });
});

/** Lists of 1,000 empty objects: no list is too long, nothing is nested deep, and each byte costs many of heap. */
function manyValues(lists: number): readonly (readonly object[])[] {
  return Array.from({ length: lists }, () => Array.from({ length: 1_000 }, () => ({})));
}

describe('a message of more values than one may hold', () => {
  it('is refused, wherever they stand', async () => {
    const scene = await stage();
    expect(await answerTo(await scene.raw(), echo(JSON.stringify(manyValues(10))))).toEqual([ERROR, 'LIMIT_EXCEEDED']);
  });

  it('is taken with some fewer', async () => {
    const scene = await stage();
    const payload = manyValues(9);
    expect(await answerTo(await scene.raw(), echo(JSON.stringify(payload)))).toEqual([REPLY, payload]);
  });
});

describe('twin: without the limit', () => {
  it('on depth, 20,000 levels make a handler fail', async () => {
    const logs = collectLogs();
    const scene = await stage({ maxJsonDepth: Infinity, maxJsonValues: Infinity });
    expect(await answerTo(await scene.raw(), echo(nested(20_000)))).toEqual([ERROR, 'INTERNAL']);
    expect(logs.join()).toContain('Maximum call stack size exceeded');
  });

  it('on keys, 5,000 of them reach a handler', async () => {
    const scene = await stage({ maxJsonKeys: Infinity });
    const payload = Object.fromEntries(keys(5_000));
    expect(await answerTo(await scene.raw(), echo(JSON.stringify(payload)))).toEqual([REPLY, payload]);
  });

  it('on values, 20,000 empty objects in lists of 1,000 reach a handler', async () => {
    const scene = await stage({ maxJsonValues: Infinity });
    const payload = manyValues(20);
    expect(await answerTo(await scene.raw(), echo(JSON.stringify(payload)))).toEqual([REPLY, payload]);
  });

  it('on size, 1 MB reaches a handler', async () => {
    const scene = await stage({ maxMessageBytes: Infinity });
    const payload = 'x'.repeat(1_048_576);
    expect(await answerTo(await scene.raw(), echo(JSON.stringify(payload)))).toEqual([REPLY, payload]);
  });
});

describe('frames that are nearly right', () => {
  const right = [
    echo('{"a":[1,2.5e3,null,true],"b":"\\u00e9"}'),
    '{"action":"subscribe","id":"s","topic":"desk","payload":{"x":1}}',
    '{"action":"unsubscribe","id":2,"topic":"desk"}',
    '{"action":"cancel","id":3}',
    '{"action":"auth","id":4,"token":"none"}',
  ];
  const byte = fc.oneof(fc.constantFrom(...Buffer.from('{}[]",:\\u0ed-+.')), fc.nat(127));
  /** A frame with bytes changed, put in, taken out, and its end cut off. */
  const mutated = fc
    .tuple(
      fc.constantFrom(...right),
      fc.array(fc.tuple(fc.nat(200), fc.constantFrom('change', 'insert', 'remove', 'repeat', 'cut'), byte), {
        minLength: 1,
        maxLength: 6,
      }),
    )
    .map(([frame, changes]) => {
      const bytes = [...Buffer.from(frame)];
      for (const [place, change, value] of changes) {
        const at = place % (bytes.length + 1);
        if (change === 'change') bytes[at] = value;
        if (change === 'insert') bytes.splice(at, 0, value);
        if (change === 'remove') bytes.splice(at, 1);
        if (change === 'repeat') bytes.splice(at, 0, ...bytes.slice(at, at + 40));
        if (change === 'cut') bytes.length = at;
      }
      return Buffer.from(bytes);
    });

  it('are answered, and do nothing else', async () => {
    const logs = collectLogs();
    const scene = await stage();
    const guest = await scene.app.connectAs('fuzzer');
    const socket = guest.socket as unknown as { send(data: Buffer, options: { binary: false }): void };
    await scene.during(() =>
      fc.assert(
        fc.asyncProperty(fc.array(mutated, { minLength: 1, maxLength: 30 }), async (batch) => {
          for (const frame of batch) socket.send(frame, { binary: false });
          await guest.settled();
          for (const { type } of guest.pending) expect(type).toMatch(/^realtime:[a-z]+$/);
          (guest.pending as unknown[]).length = 0;
        }),
        { numRuns: 100 },
      ),
    );
    await guest.close();
    expect([logs, await scene.harm()]).toEqual([[], NO_HARM]);
  });
});
