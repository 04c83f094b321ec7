import type { Push } from '../../lib/core/protocol/push.js';

/** A push, the bytes that carry it in the Protobuf form, and what `protoc` reads from them. */
export interface GoldenReply {
  readonly name: string;
  readonly push: Push;
  /** With the length, in hexadecimal. */
  readonly bytes: string;
  readonly text: string;
}

/** The time at which the pushes are written. */
export const GOLDEN_NOW = '2026-11-23T08:00:00.000Z';

/** Replies of every kind of value: numbers, flags, text, JSON, lists, maps. They never change, because clients rely on them. */
export const GOLDEN_REPLIES: readonly GoldenReply[] = [
  {
    name: 'the answer to a recovery',
    push: {
      kind: 'subscribed',
      id: 'subscribe:1',
      topic: 'log:1',
      position: { epoch: 'e', offset: 300 },
      recovered: true,
      publications: [{ offset: 299, text: '{"type":"x"}' }],
      data: { title: 'Lobby' },
      expiresAt: new Date('2026-11-23T09:00:00.000Z'),
    },
    bytes:
      '3d08013239080110f71b18013201653a11220c7b2274797065223a2278227d30ab02400148ac0250015a117b227469746c65223a224c6f626279227d' +
      '6001',
    text: `id: 1
subscribe {
  expires: true
  ttl: 3575
  recoverable: true
  epoch: "e"
  publications {
    data: "{\\"type\\":\\"x\\"}"
    offset: 299
  }
  recovered: true
  offset: 300
  positioned: true
  data: "{\\"title\\":\\"Lobby\\"}"
  was_recovering: true
}
`,
  },
  {
    name: 'a history',
    push: {
      kind: 'history',
      id: 'history:2',
      topic: 'log:1',
      top: { epoch: 'e', offset: 2 ** 40 },
      publications: [
        { offset: 2 ** 40 - 1, text: '{"type":"x"}' },
        { offset: 2 ** 40, text: '{"type":"y"}' },
      ],
    },
    bytes:
      '3c08025a380a15220c7b2274797065223a2278227d30ffffffffff1f0a15220c7b2274797065223a2279227d308080808080201201651880808080' +
      '8020',
    text: `id: 2
history {
  publications {
    data: "{\\"type\\":\\"x\\"}"
    offset: 1099511627775
  }
  publications {
    data: "{\\"type\\":\\"y\\"}"
    offset: 1099511627776
  }
  epoch: "e"
  offset: 1099511627776
}
`,
  },
  {
    name: 'who is there',
    push: {
      kind: 'presence',
      id: 'presence:3',
      presence: {
        topic: 'room:1',
        users: [{ userId: 'ann', info: { name: 'Ann' }, connections: 1 }],
        userCount: 1,
        connectionCount: 1,
      },
    },
    bytes: '2708034a230a210a03616e6e121a0a03616e6e1203616e6e1a0e7b226e616d65223a22416e6e227d',
    text: `id: 3
presence {
  presence {
    key: "ann"
    value {
      user: "ann"
      client: "ann"
      conn_info: "{\\"name\\":\\"Ann\\"}"
    }
  }
}
`,
  },
  {
    name: 'an error',
    push: { kind: 'error', id: 'rpc:4', error: { code: 'RATE_LIMITED', message: 'Too fast' } },
    bytes: '120804120e086f1208546f6f20666173741801',
    text: `id: 4
error {
  code: 111
  message: "Too fast"
  temporary: true
}
`,
  },
  {
    name: 'the answer to a call',
    push: { kind: 'reply', id: 'rpc:5', payload: { n: 1 } },
    bytes: '0d08056a090a077b226e223a317d',
    text: `id: 5
rpc {
  data: "{\\"n\\":1}"
}
`,
  },
  {
    name: 'the end of a subscription',
    push: { kind: 'unsubscribed', topic: 'room:1', reason: 'left' },
    bytes: '1522131206726f6f6d3a313a0910d00f1a046c656674',
    text: `push {
  channel: "room:1"
  unsubscribe {
    code: 2000
    reason: "left"
  }
}
`,
  },
];
