import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { all, connection, role, topic, user, type Address } from '../routing/address.js';
import recorded from './bus-frame.recorded.json' with { type: 'json' };
import { decodeFrame, encodeFrame, type BusFrame } from './bus-frame.js';
import { CLOSE_CODES, type CloseCodeName } from '../protocol/close-code.js';
import type { EnvelopeContent } from '../routing/envelope.js';
import { arbitraryText } from '../../../test/helpers/arbitrary-text.js';

/** JSON knows no minus zero. */
const asSent = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

const id = arbitraryText.filter((text) => text !== '');
const topicName = fc.stringMatching(/^[A-Za-z0-9_.:/@-]{1,255}$/);
const address: fc.Arbitrary<Address> = fc.oneof(
  id.map(user),
  id.map(role),
  id.map(connection),
  topicName.map(topic),
  fc.constant(all()),
);
const reason = fc.string({ minLength: 1, maxLength: 123 });
const names = fc.array(fc.string({ minLength: 1 }));
const content: fc.Arbitrary<EnvelopeContent> = fc.oneof(
  fc.record(
    {
      kind: fc.constant('message' as const),
      text: fc.jsonValue().map((payload) => {
        return `{"type":"t","payload":${JSON.stringify(payload)},"timestamp":"2026-01-31T12:00:00.000Z"}`;
      }),
      key: arbitraryText.filter(({ length }) => length <= 255),
      volatile: fc.constant(true as const),
    },
    { requiredKeys: ['kind', 'text'] },
  ),
  fc.record({
    kind: fc.constant('disconnect' as const),
    code: fc.constantFrom(...(Object.keys(CLOSE_CODES) as CloseCodeName[])),
    reason,
  }),
  fc.record({ kind: fc.constant('subscribe' as const), topic: topicName }),
  fc.record({ kind: fc.constant('unsubscribe' as const), topic: topicName, reason }),
  fc.constant({ kind: 'revalidate' as const }),
  fc.record({ kind: fc.constant('rights' as const), roles: names, permissions: names }, { requiredKeys: ['kind'] }),
  fc.record({
    kind: fc.constant('metadata' as const),
    patch: fc
      .dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.jsonValue().map(asSent))
      .filter((patch) => !('constructor' in Object.assign(Object.create(null), patch))),
    reauthorize: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('stop-stream' as const),
    topic: topicName,
    id: fc.stringMatching(/^[A-Za-z0-9_.:/@-]{1,64}$/),
  }),
);
const count = fc.nat();
const spoken = { origin: fc.stringMatching(/^[\w-]{1,64}$/), sequence: fc.integer({ min: 1 }) };
const frame: fc.Arbitrary<BusFrame> = fc.oneof(
  fc.record({
    kind: fc.constant('envelope' as const),
    ...spoken,
    wantsReport: fc.boolean(),
    envelope: fc.record({ to: fc.array(address, { minLength: 1 }), except: fc.array(address), content }),
  }),
  fc.record({
    kind: fc.constant('query' as const),
    ...spoken,
    query: fc.oneof(
      fc.record({ kind: fc.constant('connections' as const), of: address }),
      fc.record({ kind: fc.constant('topics' as const), of: id }),
      fc.record({
        kind: fc.constant('inspection' as const),
        of: fc.record({ tail: topicName, payloads: fc.constant(true) }, { requiredKeys: [] }),
      }),
    ),
  }),
  fc.record(
    {
      kind: fc.constant('reached' as const),
      ...spoken,
      counts: fc.array(fc.tuple(count, count)),
      dropped: fc.array(fc.tuple(count, count)),
      isUnserved: fc.constant(true),
    },
    { requiredKeys: ['kind', 'origin', 'sequence', 'counts'] },
  ),
  fc.record({
    kind: fc.constant('result' as const),
    ...spoken,
    about: count,
    isLast: fc.boolean(),
    results: fc.array(fc.string()),
  }),
  fc.record({ kind: fc.constantFrom('roll-call' as const, 'probe' as const), ...spoken }),
  fc.record({ kind: fc.constant('attachment' as const), ...spoken, isAttached: fc.boolean(), isGone: fc.boolean() }),
);

describe('a frame', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(frame, (each) => {
        expect(decodeFrame(encodeFrame(each))).toEqual(each);
      }),
    );
  });

  it('holds the text of a message as it is', () => {
    const text = '{"type":"t","payload":"ü \\n","timestamp":"x"}';
    const envelope = { to: [all()], except: [], content: { kind: 'message', text } } as const;
    const written = encodeFrame({ kind: 'envelope', origin: 'n', sequence: 1, wantsReport: true, envelope });
    expect(written).toBe(`1e["n",1,1,[["all"]],[],{}]\n${text}`);
  });

  it('takes one line for its header, whatever the addresses', () => {
    const envelope = { to: [user('a\nb\r\u2028')], except: [], content: { kind: 'revalidate' } } as const;
    const written = encodeFrame({ kind: 'envelope', origin: 'n', sequence: 1, wantsReport: true, envelope });
    expect(written.indexOf('\n')).toBe(written.length - 1);
  });
});

describe('the pace of a message', () => {
  const written = (optional: object, body = '{"type":"t"}') =>
    `1e["n",1,1,[["all"]],[],${JSON.stringify(optional)}]\n${body}`;

  it('is ignored where it has another form', () => {
    const paces = [{ key: 7 }, { key: 'x'.repeat(256) }, { volatile: true }, { volatile: 0 }];
    for (const pace of paces) {
      expect(decodeFrame(written(pace))).toMatchObject({
        envelope: { content: { kind: 'message', text: '{"type":"t"}' } },
      });
      expect(decodeFrame(written(pace))).not.toHaveProperty('envelope.content.key');
      expect(decodeFrame(written(pace))).not.toHaveProperty('envelope.content.volatile');
    }
  });

  it('stands where older nodes ignore it', () => {
    const paced = { kind: 'message', text: '{"type":"t"}', key: 'a', volatile: true } as const;
    const envelope = { to: [all()], except: [], content: paced };
    const sent = encodeFrame({ kind: 'envelope', origin: 'n', sequence: 1, wantsReport: true, envelope });
    expect(sent).toBe(written({ key: 'a', volatile: 1 }));
  });

  it('is told with the answer, where older nodes ignore it', () => {
    const sent = encodeFrame({ kind: 'reached', origin: 'n', sequence: 1, counts: [[7, 3]], dropped: [[7, 2]] });
    expect(sent).toBe('1r["n",1,{"dropped":[[7,2]]}]\n[[7,3]]');
  });

  it('is ignored in an answer where it has another form', () => {
    for (const dropped of ['[7,2]', '7', '[[7]]', '[[7,-1]]']) {
      expect(decodeFrame(`1r["n",1,{"dropped":${dropped}}]\n[[7,3]]`)).toEqual({
        kind: 'reached',
        origin: 'n',
        sequence: 1,
        counts: [[7, 3]],
      });
    }
  });
});

describe('the context of a trace', () => {
  const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const [start, text] = [{ kind: 'envelope', origin: 'n', sequence: 1, wantsReport: true } as const, '{"type":"t"}'];
  const message = { kind: 'message', text } as const;

  it.each<EnvelopeContent>([message, { ...message, position: { epoch: 'e', offset: 7 } }, { kind: 'revalidate' }])(
    'crosses the bus with %o',
    (carried) => {
      const traced: BusFrame = { ...start, envelope: { to: [all()], except: [], content: carried, trace: TRACE } };
      expect(decodeFrame(encodeFrame(traced))).toEqual(traced);
    },
  );

  it.each([7, null, {}, '', TRACE.toUpperCase(), `${TRACE}-x`, 'x'.repeat(100_000)])(
    'is ignored if it is %j, and the message arrives',
    (trace) => {
      const written = `1e["n",1,1,[["all"]],[],${JSON.stringify({ trace })}]\n${text}`;
      expect(decodeFrame(written)).toEqual({ ...start, envelope: { to: [all()], except: [], content: message } });
    },
  );
});

/** The same frame as a later version may write it: with optional fields that this version does not know. */
const later = (text: string): string => {
  const end = text.indexOf('}]\n');
  const isEmpty = text[end - 1] === '{';
  return `${text.slice(0, end)}${isEmpty ? '' : ','}"trace":"00-4bf9-01","hops":[1,{"at":null}]${text.slice(end)}`;
};

describe('a frame of a later version', () => {
  it('is read as one without the optional fields that this version does not know', () => {
    fc.assert(
      fc.property(frame, (each) => {
        const text = later(encodeFrame(each));
        expect([text.includes('"trace"'), decodeFrame(text)]).toEqual([true, each]);
      }),
    );
  });

  const MESSAGE = '{"type":"t","timestamp":"x"}';
  it.each([
    ['an order', '1e["n",1,1,[["all"]],[],{"kind":"explode","after":5},{}]\n', true],
    ['an order with a body', '1e["n",1,1,[["all"]],[],{"kind":"explode"},{}]\nanything', true],
    ['an order that nobody has to report on', '1e["n",1,0,[["all"]],[],{"kind":"explode"},{}]\n', false],
    ['an address', `1e["n",1,1,[["user","ann"],["room","x",2]],[],{}]\n${MESSAGE}`, true],
    ['an exception', `1e["n",1,1,[["all"]],[["room","x"]],{}]\n${MESSAGE}`, true],
    ['a query', '1q["n",1,"secrets","x",{}]\n', true],
    ['an address of a query', '1q["n",1,"connections",["room","x"],{}]\n', true],
  ])('that has %s of an unknown kind is unknown, and no garbage', (_what, text, wantsReport) => {
    expect(decodeFrame(text)).toEqual({ kind: 'unknown', origin: 'n', sequence: 1, wantsReport });
  });
});

it('an inspection that asks for more than this version knows is answered with what it knows', () => {
  const text = '1q["n",1,"inspection",{"tail":"chat:1","payloads":"yes","since":5},{}]\n';
  const query = { kind: 'inspection', of: { tail: 'chat:1' } };
  expect(decodeFrame(text)).toEqual({ kind: 'query', origin: 'n', sequence: 1, query });
});

/** Every content of an envelope; the type checker asks for a new one. */
const CONTENTS: Record<EnvelopeContent['kind'], true> = {
  message: true,
  joined: true,
  left: true,
  updated: true,
  disconnect: true,
  subscribe: true,
  unsubscribe: true,
  revalidate: true,
  rights: true,
  metadata: true,
  'stop-stream': true,
};

describe('the frames that nodes of this version have written', () => {
  it.each(recorded)('are read for ever after: $text', ({ text, frame: expected }) => {
    expect(decodeFrame(text)).toEqual(expected);
  });

  it('are of every kind, and with every content and query', () => {
    const frames = recorded.map((each) => each.frame as unknown as BusFrame);
    expect(new Set(frames.map(({ kind }) => kind))).toEqual(
      new Set(['envelope', 'query', 'reached', 'result', 'roll-call', 'probe', 'attachment']),
    );
    const contents = frames.flatMap((each) => (each.kind === 'envelope' ? [each.envelope.content.kind] : []));
    expect(new Set(contents)).toEqual(new Set(Object.keys(CONTENTS)));
    const queries = frames.flatMap((each) => (each.kind === 'query' ? [each.query.kind] : []));
    expect(new Set(queries)).toEqual(new Set(['connections', 'topics', 'inspection']));
  });
});

describe('what is no frame', () => {
  it('is undefined, and never an exception', () => {
    fc.assert(
      fc.property(arbitraryText, (text) => {
        expect(decodeFrame(text)).toBeUndefined();
      }),
    );
  });

  it('is never an exception when a frame was damaged', () => {
    const damaged = fc.tuple(
      frame,
      fc.nat(),
      fc.nat({ max: 5 }),
      arbitraryText.map((text) => text.slice(0, 5)),
    );
    fc.assert(
      fc.property(damaged, ([each, at, length, text]) => {
        const written = encodeFrame(each);
        const start = at % written.length;
        expect(() => decodeFrame(written.slice(0, start) + text + written.slice(start + length))).not.toThrow();
      }),
    );
  });

  it('is never an exception when a header holds anything', () => {
    const made = fc.tuple(
      fc.constantFrom('e', 'q', 'r', 'f', 'c', 'p', 'n', 'x'),
      fc.array(fc.jsonValue()),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(made, ([letter, header, body]) => {
        expect(() =>
          decodeFrame(`1${letter}["n",1,${JSON.stringify(header).slice(1)}\n${JSON.stringify(body)}`),
        ).not.toThrow();
      }),
    );
  });

  const MESSAGE = '{"type":"t","timestamp":"x"}';
  it.each([
    ['another version', `2e["n",1,1,[["all"]],[],{}]\n${MESSAGE}`],
    ['an inspection of nothing', '1q["n",1,"inspection",null,{}]\n'],
    ['an inspection with a tail that is no topic', '1q["n",1,"inspection",{"tail":7},{}]\n'],
    ['an unknown kind', '1x["n",1,{}]\n'],
    ['no line feed', '1p["n",1]'],
    ['a header that is no list', '1p{"0":"n","1":1}\n'],
    ['an origin that is no node', '1p["n.1",1,{}]\n'],
    ['a sequence that is no count', '1p["n",-1,{}]\n'],
    ['a sequence of zero', '1p["n",0,{}]\n'],
    ['a sequence beyond what is exact', '1p["n",9007199254740993,{}]\n'],
    ['a field too many', '1p["n",1,1,{}]\n'],
    ['a header without the object of optional fields', '1p["n",1]\n'],
    ['a list in the place of the optional fields', '1p["n",1,[]]\n'],
    ['a field behind the optional fields', '1p["n",1,{},1]\n'],
    ['no address', `1e["n",1,1,[],[],{}]\n${MESSAGE}`],
    ['an address without a name', `1e["n",1,1,[["user"]],[],{}]\n${MESSAGE}`],
    ['a topic that is none', `1e["n",1,1,[["topic","a b"]],[],{}]\n${MESSAGE}`],
    ['a name that everybody does not have', `1e["n",1,1,[["all","x"]],[],{}]\n${MESSAGE}`],
    ['a text that is no message', '1e["n",1,1,[["all"]],[],{}]\n{"action":"x"}'],
    ['an order and a text', `1e["n",1,1,[["all"]],[],{"kind":"revalidate"},{}]\n${MESSAGE}`],
    ['an address of no kind', `1e["n",1,1,[["","x"]],[],{}]\n${MESSAGE}`],
    ['an order of no kind', '1e["n",1,1,[["all"]],[],{"kind":7},{}]\n'],
    ['an order of an unknown kind to nobody', '1e["n",1,1,[],[],{"kind":"explode"},{}]\n'],
    ['a query of no kind', '1q["n",1,null,"x",{}]\n'],
    [
      'an order to disconnect for no known reason',
      '1e["n",1,1,[["all"]],[],{"kind":"disconnect","code":"toString","reason":"x"},{}]\n',
    ],
    [
      'a reason that is too long',
      `1e["n",1,1,[["all"]],[],{"kind":"disconnect","code":"FORCED","reason":"${'x'.repeat(124)}"},{}]\n`,
    ],
    ['a patch that is a list', '1e["n",1,1,[["all"]],[],{"kind":"metadata","patch":[],"reauthorize":false},{}]\n'],
    [
      'a patch of a prototype',
      '1e["n",1,1,[["all"]],[],{"kind":"metadata","patch":{"__proto__":1},"reauthorize":false},{}]\n',
    ],
    ['a patch that does not say whether to judge', '1e["n",1,1,[["all"]],[],{"kind":"metadata","patch":{}},{}]\n'],
    ['roles that are no names', '1e["n",1,1,[["all"]],[],{"kind":"rights","roles":[1]},{}]\n'],
    ['counts that are none', '1r["n",1,{}]\n[[1,-1]]'],
  ])('is undefined: %s', (_what, text) => {
    expect(decodeFrame(text)).toBeUndefined();
  });
});
