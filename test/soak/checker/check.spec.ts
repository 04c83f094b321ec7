import { describe, expect, it } from 'vitest';
import { Journal, type Note } from '../../resuming/journal.js';
import { check } from './check.js';
import {
  ONLINE,
  type HookCall,
  type Kind,
  type News,
  type Order,
  type Picture,
  type RunRecord,
  type Sending,
  type Stay,
  type Visit,
} from './record.js';

type Writable<T> = { -readonly [K in keyof T]: T[K] };
type Log = Omit<Writable<RunRecord>, 'logs' | 'sendings' | 'visits' | 'news' | 'pictures' | 'hooks'> & {
  readonly logs: Map<string, Journal>;
  readonly sendings: Writable<Sending>[];
  readonly visits: Writable<Visit & { arrivals: string[] }>[];
  readonly news: News[];
  readonly pictures: Writable<Picture & { users: string[] }>[];
  readonly hooks: HookCall[];
};

const LEASE_MS = 3_000;
const COUNT = 20;

/** The log of a run in which Redis loses its data half-way, a client is cut off and comes back, and all holds. */
function faultless(): Log {
  return {
    logs: new Map([['log:1', history()]]),
    repetitions: [
      { key: 'publisher-0-3', first: { epoch: 'a', offset: 3 }, again: { epoch: 'a', offset: 3 }, at: 300 },
    ],
    ...feed(),
    losses: [{ from: 9_900, over: 10_000 }],
    ends: [],
    absences: [{ node: 2, from: 20_000, over: 35_000, to: 45_000 }],
    attachments: [
      { node: 2, kind: 'attached', at: 0 },
      { node: 2, kind: 'detached', at: 20_500 },
      { node: 2, kind: 'attached', at: 38_000 },
    ],
    stalls: [],
    leaseMs: LEASE_MS,
    ...presence(),
    orders: [
      { userId: 'exile', begun: 1_000, ended: 1_100, complete: true },
      { userId: 'outcast', begun: 25_000, ended: 25_100, complete: true },
    ],
    stays: [
      { userId: 'exile', node: 1, opened: 500, closed: 1_150 },
      { userId: 'exile', node: 1, opened: 1_200 },
      { userId: 'outcast', node: 1, opened: 24_000, closed: 25_050 },
      { userId: 'outcast', node: 2, opened: 19_000, closed: 38_100 },
    ],
    withoutClients: {
      nodes: [{ node: 1, objects: 0, clientSockets: 0, otherSockets: 2, servers: 1 }],
      counts: { connections: 0, subscriptions: 0 },
      channels: [],
      unseen: [],
    },
    withoutNodes: { keys: [{ name: 'realtime@0:orders', ttlMs: 86_399_000 }], channels: [], unseen: [] },
    breaks: [],
  };
}

/** Ten publications in each of two epochs; ann gets all, bob is away in between and recovers, or is told that he cannot. */
function history(): Journal {
  const journal = new Journal();
  const [ann, bob] = [journal.diaryOf('ann'), journal.diaryOf('bob')];
  for (const epoch of ['a', 'b']) {
    const at = { epoch, offset: 0 };
    const told = (asked: boolean): Note =>
      asked ? { kind: 'told', asked: { epoch: 'a', offset: 10 }, at, recovered: false } : { kind: 'told', at };
    ann.push(told(epoch === 'b'));
    bob.push(told(epoch === 'b'));
    for (let offset = 1; offset <= 10; offset++) {
      const key = `publisher-0-${offset + (epoch === 'a' ? 0 : 10)}`;
      const begun = journal.now();
      journal.statements.push({ key, begun, ended: journal.now(), outcome: { kind: 'acknowledged', epoch, offset } });
      ann.push({ kind: 'got', key, offset });
      if (offset === 6) {
        const here = { epoch, offset: 5 };
        bob.push({ kind: 'gone' }, { kind: 'told', asked: here, at: here, recovered: true });
      }
      bob.push({ kind: 'got', key, offset });
    }
  }
  return journal;
}

/** Messages to two clients that stay, and to one on a node that is away for a while. */
function feed(): Pick<Log, 'sendings' | 'visits'> {
  const isAway = (n: number) => n >= 12;
  const sendings = Array.from({ length: COUNT }, (_, n) => ({
    key: `feeder-0-${n}`,
    publisher: 'feeder-0',
    number: n,
    node: 1,
    begun: n * 2_000,
    ended: n * 2_000 + 50,
    report: { recipients: isAway(n) ? 2 : 3, complete: true },
  }));
  const keys = sendings.map(({ key }) => key);
  const visit = (client: string, node: number, arrivals: string[]) => ({
    client,
    node,
    asked: -20,
    opened: -10,
    arrivals,
  });
  return {
    sendings,
    visits: [
      visit('one', 1, [...keys]),
      visit('two', 1, [...keys]),
      {
        ...visit(
          'three',
          2,
          keys.filter((_, n) => !isAway(n)),
        ),
        closed: 60_000,
      },
    ],
  };
}

/** Two come, one goes and another stays, comes with a second connection, and is given another info by the application. */
function presence(): Pick<Log, 'news' | 'pictures' | 'infos' | 'hooks' | 'present' | 'online'> {
  const changes = [
    ['joined', 'stays', 100],
    ['joined', 'goes', 200],
    ['left', 'goes', 300],
    ['joined', 'goes', 400],
    ['left', 'goes', 500],
  ] as const;
  const topic = 'hall:1';
  return {
    news: ['watcher-0 1', 'sdk-0 1'].flatMap((visit): News[] => [
      ...changes.map(([kind, userId, at]) => ({ visit, kind, userId, at, info: 'first' })),
      { visit, kind: 'updated', userId: 'stays', at: 5_000, info: 'second' },
      { visit, kind: 'updated', userId: 'stays', at: 30_000, info: 'of the application' },
    ]),
    infos: [
      { topic, userId: 'stays', info: 'first', connection: 1, asked: 50, taken: 100, gone: 8_000 },
      { topic, userId: 'stays', info: 'second', connection: 2, asked: 4_900, taken: 5_000 },
      { topic, userId: 'stays', info: 'of the application', asked: 29_900, taken: 30_000 },
    ],
    hooks: [topic, ONLINE].flatMap((place) =>
      changes.map(([kind, userId, at]) => ({ kind, topic: place, userId, at })),
    ),
    online: ['stays'],
    present: new Map([[topic, ['stays']]]),
    pictures: ['watcher-0', 'sdk-0', 'usersIn() of node 1'].map((seenBy) => ({
      seenBy,
      topic,
      users: ['stays'],
      infos: { stays: 'of the application' },
    })),
  };
}

const found = (mutate: (log: Log) => unknown): Kind[] => {
  const log = faultless();
  mutate(log);
  return [...new Set(check(log).map(({ kind }) => kind))];
};

const diary = ({ logs }: Log, client = 'ann') => logs.get('log:1')!.diaries.get(client)!;

/** The place of a publication in a diary. */
const placeOf = (notes: readonly Note[], key: string) =>
  notes.findIndex((note) => note.kind === 'got' && note.key === key);

describe('The checker', () => {
  it('finds nothing in a run in which all holds', () => {
    expect(found(() => undefined)).toEqual([]);
  });

  it('forgives that a message which was written to a connection did not arrive, when that has ended', () => {
    const cutOff = (log: Log) => {
      log.visits[1]!.closed = 6_020;
      log.visits[1]!.arrivals.splice(3);
      log.sendings.forEach((sending, n) => n > 3 && (sending.report = { recipients: n < 12 ? 2 : 1, complete: true }));
    };
    expect(found(cutOff)).toEqual([]);
  });

  it('forgives that an incomplete call to a node that has ended is overtaken by the next, but not a complete one, or of one node', () => {
    const overtaken = (node: number, complete: boolean) => (log: Log) => {
      log.visits[0]!.arrivals.splice(3, 2, 'feeder-0-4', 'feeder-0-3');
      Object.assign(log.sendings[3]!, { node, report: { recipients: 3, complete } });
    };
    expect(found(overtaken(7, false))).toEqual([]);
    expect(found(overtaken(7, true))).toEqual(['reordered']);
    expect(found(overtaken(1, false))).toEqual(['reordered']);
  });

  it('forgives an incomplete report that tells of too few', () => {
    const lower = (log: Log) => (log.sendings[3]!.report = { recipients: 1, complete: false });
    expect(found(lower)).toEqual([]);
  });

  it('forgives that a connection is there while its node is away, or while the run stands still', () => {
    const later = (log: Log) => {
      log.stalls = [{ from: 900, over: 5_000 }];
      log.stays = [
        { userId: 'exile', node: 1, opened: 500, closed: 5_100 },
        { userId: 'outcast', node: 2, opened: 19_000, closed: 39_900 },
      ];
    };
    expect(found(later)).toEqual([]);
  });

  it('forgives that a connection is there whose client leaves before the node is attached again', () => {
    const leaves = (log: Log) => (log.stays = [{ userId: 'outcast', node: 2, opened: 19_000, left: 37_000 }]);
    expect(found(leaves)).toEqual([]);
  });

  it('forgives a second join of a user who changed nodes after a loss of data', () => {
    const again = (log: Log) => log.hooks.push({ kind: 'joined', topic: 'hall:1', userId: 'stays', at: 12_000 });
    expect(found(again)).toEqual([]);
  });

  it('forgives as many more joins after a loss of data as the user has come with another connection, and no more', () => {
    const wandering =
      (joins: number, afterMs: (join: number) => number = (join) => 400 + join, isTaken = true) =>
      (log: Log) => {
        const { over } = log.losses[0]!;
        for (const connection of [3, 4]) {
          const asked = over + connection * 100;
          const given = { topic: 'hall:1', userId: 'stays', info: `of ${connection}`, connection, gone: asked + 50 };
          log.infos = [...log.infos, { ...given, asked, ...(isTaken && { taken: asked + 10 }) }];
        }
        for (let join = 0; join < joins; join++) {
          log.hooks.push({ kind: 'joined', topic: 'hall:1', userId: 'stays', at: over + afterMs(join) });
        }
      };
    expect(found(wandering(2))).toEqual([]);
    expect(found(wandering(3))).toEqual(['hooks out of balance']);
    expect(found(wandering(2, (join) => 400 + join * 600_000))).toEqual(['hooks out of balance']);
    expect(found(wandering(2, undefined, false))).toEqual(['hooks out of balance']);
  });

  it('forgives a second leave of a user whose node had ended when older data came back', () => {
    const userId = 'early';
    const topic = 'hall:1';
    const calls = (['joined', 'left', 'left'] as const).map((kind, n) => ({
      kind,
      topic,
      userId,
      at: 9_000 + n * 900,
    }));
    expect(found(({ hooks }) => hooks.push(...calls))).toEqual([]);
  });

  it('forgives a second leave while it is not known whether the data were lost between the two', () => {
    const during = (log: Log) => {
      log.losses = [{ from: 10_000, over: 18_000 }];
      for (const [kind, at] of [
        ['joined', 9_000],
        ['left', 14_000],
        ['left', 14_100],
      ] as const)
        log.hooks.push({ kind, topic: 'hall:1', userId: 'early', at });
    };
    expect(found(during)).toEqual([]);
    expect(found((log) => (during(log), (log.losses = [])))).toEqual(['hooks out of balance']);
  });

  it('forgives a missing offline of somebody whose node had ended just before a loss of data, but not a missing leave', () => {
    const dead = (topic: string) => (log: Log) => {
      log.ends = [7_000];
      log.hooks.push({ kind: 'joined', topic, userId: 'goes', at: 6_000 });
    };
    expect(found(dead(ONLINE))).toEqual([]);
    expect(found(dead('hall:1'))).toEqual(['hooks out of balance']);
  });

  it('forgives one missing offline for each online before such a loss, and none if the next online was told before the node had ended', () => {
    const again =
      (...times: number[]) =>
      (log: Log) => {
        log.ends = [7_000];
        for (const at of times) log.hooks.push({ kind: 'joined', topic: ONLINE, userId: 'goes', at });
        log.hooks.push({ kind: 'left', topic: ONLINE, userId: 'goes', at: 60_000 });
      };
    expect(found(again(6_000, 50_000))).toEqual([]);
    expect(found(again(6_000, 50_000, 55_000))).toEqual(['hooks out of balance']);
    expect(found(again(5_000, 6_000, 50_000))).toEqual(['hooks out of balance']);
  });

  it('forgives that an info of the application is gone after a loss of data, but not that of a connection', () => {
    const seen = (info: string) => (log: Log) => {
      log.losses = [{ from: 34_900, over: 35_000 }];
      log.pictures[0]!.infos = { stays: info };
    };
    expect(found(seen('second'))).toEqual([]);
    expect(found(seen('first'))).toEqual(['wrong info']);
  });

  it('forgives that an info of the application is gone of a user who was told to have left since, and to have come back', () => {
    const away = (at: number) => (log: Log) => {
      for (const kind of ['left', 'joined'] as const) log.hooks.push({ kind, topic: 'hall:1', userId: 'stays', at });
      log.pictures[0]!.infos = { stays: 'second' };
    };
    expect(found(away(31_000))).toEqual([]);
    expect(found(away(29_000))).toEqual(['wrong info']);
  });

  it('forgives the order of infos that are given at the same time, but not by one connection', () => {
    const both = (connection?: number) => (log: Log) => {
      const own = connection === undefined ? {} : { connection };
      log.infos = [
        ...log.infos,
        { topic: 'hall:1', userId: 'stays', info: 'last', asked: 30_900, taken: 31_000, ...own },
      ];
      if (connection !== undefined) log.infos = log.infos.map((given) => ({ ...given, connection }));
    };
    expect(found(both())).toEqual([]);
    expect(found(both(1))).toEqual(['wrong info']);
  });

  it('forgives that a key is given another position in another epoch', () => {
    expect(found((log) => (log.repetitions = [{ ...log.repetitions[0]!, again: { epoch: 'b', offset: 1 } }]))).toEqual(
      [],
    );
  });
});

describe('The checker finds', () => {
  it.each<[string, Kind, (log: Log) => unknown]>([
    ['a publication that was lost', 'lost', (log) => diary(log).splice(placeOf(diary(log), 'publisher-0-20'), 1)],
    ['a gap without a word', 'silent gap', (log) => diary(log).splice(placeOf(diary(log), 'publisher-0-4'), 1)],
    [
      'a gap where a client was said to have recovered',
      'silent gap',
      (log) => diary(log, 'bob').splice(placeOf(diary(log, 'bob'), 'publisher-0-6'), 1),
    ],
    [
      'a publication that arrived twice',
      'duplicated',
      (log) => {
        const place = placeOf(diary(log), 'publisher-0-4');
        diary(log).splice(place, 0, diary(log)[place]!);
      },
    ],
    [
      'two publications that changed places',
      'reordered',
      (log) => {
        const place = placeOf(diary(log), 'publisher-0-4');
        diary(log).splice(place, 2, diary(log)[place + 1]!, diary(log)[place]!);
      },
    ],
    [
      'an epoch that a client was not told of',
      'contradicted',
      (log) => diary(log).splice(placeOf(diary(log), 'publisher-0-11') - 1, 1),
    ],
    [
      'an epoch that is told wrongly',
      'contradicted',
      (log) => {
        const place = placeOf(diary(log), 'publisher-0-11') - 1;
        diary(log)[place] = { kind: 'told', at: { epoch: 'a', offset: 0 }, recovered: false };
      },
    ],
    [
      'a position that was given twice',
      'contradicted',
      (log) => {
        const { statements } = log.logs.get('log:1')!;
        statements[4] = { ...statements[4]!, outcome: statements[3]!.outcome };
      },
    ],
    [
      'an idempotency key that was published twice',
      'key used twice',
      (log) => (log.repetitions = [{ ...log.repetitions[0]!, again: { epoch: 'a', offset: 7 } }]),
    ],
    [
      'a message without a history that arrived twice',
      'duplicated',
      ({ visits }) => visits[0]!.arrivals.splice(3, 0, 'feeder-0-3'),
    ],
    [
      'messages of one publisher that changed places',
      'reordered',
      ({ visits }) => visits[0]!.arrivals.splice(3, 2, 'feeder-0-4', 'feeder-0-3'),
    ],
    ['a message that nobody has sent', 'contradicted', ({ visits }) => visits[0]!.arrivals.push('feeder-9-0')],
    [
      'a complete report although a client has no copy',
      'untrue report',
      (log) => {
        log.visits[0]!.arrivals.splice(3, 1);
        log.sendings[3]!.report = { recipients: 2, complete: true };
      },
    ],
    [
      'a report with more recipients than copies',
      'untrue report',
      (log) => (log.sendings[3]!.report = { recipients: 4, complete: false }),
    ],
    [
      'a complete report with fewer recipients than copies',
      'untrue report',
      (log) => (log.sendings[3]!.report = { recipients: 2, complete: true }),
    ],
    [
      'a complete report although a node is cut off, whose lease has not run out',
      'untrue report',
      (log) => (log.absences = [{ node: 2, from: 24_000 - LEASE_MS / 2, over: 40_000, to: 50_000 }]),
    ],
    [
      'a connection that outlives an order',
      'order outlived',
      (log) => (log.stays = [{ userId: 'exile', node: 1, opened: 500 } satisfies Stay]),
    ],
    [
      'a connection that another order ends 3 s later',
      'order outlived',
      (log) => (log.stays = [{ userId: 'exile', node: 1, opened: 500, closed: 4_100 }]),
    ],
    [
      'a connection whose node was away for longer than its lease, and has not asked for the order when it is attached again',
      'order outlived',
      (log) => (log.stays = [{ userId: 'outcast', node: 2, opened: 19_000, closed: 40_100 }]),
    ],
    [
      'a connection that outlives its order until its client leaves',
      'order outlived',
      (log) => (log.stays = [{ userId: 'outcast', node: 2, opened: 19_000, left: 50_000 }]),
    ],
    ['a ghost', 'ghost', ({ pictures }) => pictures[0]!.users.push('goes')],
    ['a member whom a watcher does not see', 'missing member', ({ pictures }) => pictures[1]!.users.pop()],
    ['a member whom usersIn() does not tell', 'missing member', ({ pictures }) => pictures[2]!.users.pop()],
    ['a join that was told twice', 'told twice', ({ news }) => news.splice(1, 0, news[0]!)],
    [
      'an info that a watcher was not told of',
      'wrong info',
      ({ pictures }) => (pictures[0]!.infos = { stays: 'second' }),
    ],
    [
      'an info of a connection that has gone, in an answer to presence',
      'wrong info',
      ({ pictures }) => (pictures[1]!.infos = { stays: 'first' }),
    ],
    ['an info that usersIn() does not tell', 'wrong info', ({ pictures }) => (pictures[2]!.infos = {})],
    ['an info that was told twice', 'told twice', ({ news }) => news.push({ ...news.at(-1)!, at: 31_000 })],
    [
      'an info of somebody who has left',
      'told twice',
      ({ news }) => news.push({ ...news.at(-1)!, userId: 'goes', info: 'other' }),
    ],
    [
      'an offline for somebody who is online',
      'hooks out of balance',
      ({ hooks }) => hooks.push({ kind: 'left', topic: ONLINE, userId: 'stays', at: 9_000 }),
    ],
    ['an online that was never told', 'hooks out of balance', (log) => (log.online = ['stays', 'comes'])],
    [
      'an offline that was never told',
      'hooks out of balance',
      ({ hooks }) => hooks.push({ kind: 'joined', topic: ONLINE, userId: 'goes', at: 9_000 }),
    ],
    ['a leave that was told twice', 'told twice', ({ news }) => news.splice(5, 0, news[4]!)],
    ['a leave that no hook was called for', 'hooks out of balance', ({ hooks }) => hooks.pop()],
    ['a join that no hook was called for', 'hooks out of balance', ({ hooks }) => hooks.shift()],
    [
      'a join that a hook was called for twice',
      'hooks out of balance',
      ({ hooks }) => hooks.push({ kind: 'joined', topic: 'hall:1', userId: 'stays', at: 9_000 }),
    ],
    [
      'a join that a hook was called for three times, after one loss of data',
      'hooks out of balance',
      ({ hooks }) => {
        for (const at of [12_000, 12_100]) hooks.push({ kind: 'joined', topic: 'hall:1', userId: 'stays', at });
      },
    ],
    ['a leave that a hook was called for twice', 'hooks out of balance', ({ hooks }) => hooks.push(hooks.at(-1)!)],
    [
      'a join that no hook was called for, long after a loss of data',
      'hooks out of balance',
      ({ hooks }) => {
        const calls = (['joined', 'left', 'left'] as const).map((kind, n) => ({ kind, at: 9_000 + n * 9_000 }));
        hooks.push(...calls.map((call) => ({ ...call, topic: 'hall:1', userId: 'early' })));
      },
    ],
    ...(
      [
        ['sessions in the memory of a node', { objects: 1 }],
        ['a socket of a client that has gone', { clientSockets: 1 }],
        ['connections to Redis that were replaced and are still open', { otherSockets: 9 }],
      ] as const
    ).map(([what, left]): [string, Kind, (log: Log) => unknown] => [
      what,
      'leaked',
      ({ withoutClients }) => Object.assign(withoutClients.nodes[0]!, left),
    ]),
    [
      'a subscription in counts() when all clients have gone',
      'leaked',
      ({ withoutClients }) => Object.assign(withoutClients.counts, { subscriptions: 1 }),
    ],
    ...['withoutClients', 'withoutNodes'].flatMap((when) =>
      ['channels', 'unseen'].map((what): [string, Kind, (log: Log) => unknown] => [
        `${what} ${when}`,
        'leaked',
        (log) => Object.assign(log[when as 'withoutNodes'], { [what]: ['realtime@0:topic:hall:1'] }),
      ]),
    ),
    ...[-1, 86_401_000, 70 * 86_400_000].map((ttlMs): [string, Kind, (log: Log) => unknown] => [
      `a key with a life of ${ttlMs} ms`,
      'leaked',
      (log) => (log.withoutNodes = { ...log.withoutNodes, keys: [{ name: 'realtime@0:present:hall:1', ttlMs }] }),
    ]),
    ['a node that ended by itself', 'broken', (log) => (log.breaks = [{ what: 'node 1 ended with 1', at: 7 }])],
  ])('%s', (_what, kind, mutate) => {
    expect(found(mutate)).toContain(kind);
  });

  it('when it happened', () => {
    const log = faultless();
    log.sendings[3]!.report = { recipients: 4, complete: true };
    expect(check(log)).toEqual([expect.objectContaining({ kind: 'untrue report', at: 6_000 })]);
  });

  it('nothing about an order that was reported as incomplete', () => {
    const order: Order = { userId: 'exile', begun: 1_000, ended: 1_100, complete: false };
    expect(found((log) => ((log.orders = [order]), (log.stays = [{ userId: 'exile', node: 1, opened: 500 }])))).toEqual(
      [],
    );
  });
});
