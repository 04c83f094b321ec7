import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { DiaryEntry } from '../../faults/load/node/diary.js';
import type { NodeSpec } from '../../faults/load/node/node-control.js';
import { SeededRandom } from '../../faults/load/seeded-random.js';
import { checkHooks } from '../checker/check-hooks.js';
import { checkInfos } from '../checker/check-infos.js';
import { checkPresence } from '../checker/check-presence.js';
import { check } from '../checker/check.js';
import {
  ONLINE,
  type Attachment,
  type Finding,
  type HookCall,
  type Loss,
  type Picture,
  type RunRecord,
} from '../checker/record.js';
import { Cast } from './cast.js';
import { GROUNDS, type Backend } from './grounds.js';
import { leftWithoutClients, leftWithoutNodes } from './leftovers.js';
import { Nemesis } from './nemesis.js';
import { Nodes } from './nodes.js';
import { RunLog } from './run-log.js';
import { pictureOf, type Member } from './watchers.js';
import { Vitals } from './vitals.js';

const LEASE_MS = 3_000;
const GRACE_MS = 1_000;
const DRAIN_MS = 3_000;

/** How long what is behind may take when all is well again, in milliseconds. */
const HEALED_MS = 30_000;

/** How long a publisher waits after each answer, in milliseconds. */
const EVERY_MS = 50;

/** Those of whom it is checked whether they are online. All others stay until the end. */
const COME_AND_GO = /^(guest|watcher|sdk-watcher|exile|outcast)-/;

/** How a run is made. */
export interface NodesSoakOptions {
  readonly on: Backend;
  readonly seed: number;
  readonly durationMs: number;
  /** Replacements for parts of the nodes, for a twin that must fail. */
  readonly spec?: NodeSpec;
}

/** What was done in a run, and what did not hold. */
export interface NodesSoakReport {
  readonly on: Backend;
  readonly seed: number;
  readonly figures: Readonly<Record<string, number>>;
  /** How often which fault struck. */
  readonly faults: Readonly<Record<string, number>>;
  readonly findings: readonly (Finding & { readonly around: readonly string[] })[];
  readonly record: RunRecord;
  /** What happened, in its order. */
  readonly log: readonly { readonly at: number; readonly what: string }[];
}

/**
 * Has clients of both protocols publish, subscribe, come and go on three node processes over Redis, while nodes, networks, servers and
 * clocks fail on a schedule that the seed decides, and checks what everybody was told. Ends by itself, with everything that it has started.
 */
export async function soakNodes({ on, seed, durationMs, spec = {} }: NodesSoakOptions): Promise<NodesSoakReport> {
  const log = new RunLog();
  const dir = await mkdtemp(join(tmpdir(), 'nestjs-realtime-soak-'));
  const diary = join(dir, 'diary');
  const ground = await GROUNDS[on](new SeededRandom(seed * 1_000 + 996));
  try {
    await ground.open(3);
    const nodes = await Nodes.start((index) => specOf(ground.place(index), diary, spec), log);
    const vitals = new Vitals(log, () => nodes.all.map(({ pid }) => pid));
    try {
      const cast = await Cast.enter(nodes, log, seed, EVERY_MS);
      const nemesis = new Nemesis(ground, nodes, cast.victims, log, LEASE_MS, seed);
      await nemesis.strike(durationMs);
      await nemesis.heal();
      const unhealed = await cast.settle(HEALED_MS);
      const hooks = () => hooksIn(diary, log);
      const { pictures, away } = await picturesOf(cast, nodes, hooks, nemesis.losses);
      const called = await hooks();
      const infos = structuredClone(cast.infos.given);
      await cast.leave();
      const masters = await ground.masters();
      const withoutClients = await leftWithoutClients(nodes.all, masters, ground.servers.length, HEALED_MS);
      const breaks = [
        ...nodes.breaks,
        ...[
          ...unhealed,
          ...away.map((name) => `${name} did not come back`),
          ...(await nodes.close(DRAIN_MS + 7_000)),
        ].map((what) => ({ what, at: log.now() })),
      ];
      const withoutNodes = await leftWithoutNodes(await ground.masters(), HEALED_MS);
      const record: RunRecord = {
        ...cast.recorded,
        absences: nodes.absences,
        attachments: await attachmentsIn(diary, log),
        stalls: vitals.stalls,
        leaseMs: LEASE_MS,
        present: cast.present,
        pictures,
        infos,
        online: cast.online,
        hooks: called,
        losses: nemesis.losses,
        ends: nodes.ends,
        withoutClients,
        withoutNodes,
        breaks,
      };
      await noteWarnings(diary, log);
      const findings = check(record).map((finding) => ({
        ...finding,
        around: finding.at === undefined ? [] : log.around(finding.at),
      }));
      const figures = { ...figuresOf(record, log), ...vitals.figures };
      const inOrder = [...log.entries].sort((a, b) => a.at - b.at);
      return { on, seed, figures, faults: nemesis.struck, findings, record, log: inOrder };
    } finally {
      vitals.stop();
      await nodes.kill();
    }
  } finally {
    await ground.end();
    await rm(dir, { recursive: true, force: true });
  }
}

function specOf(place: Pick<NodeSpec, 'redis' | 'ways'>, diary: string, more: NodeSpec): NodeSpec {
  return {
    ...place,
    redis: {
      ...place.redis,
      leaseRefreshMs: LEASE_MS / 4,
      leaseTtlMs: LEASE_MS,
      commandTimeoutMs: 2_000,
      probeIntervalMs: 2_000,
      lingerMs: 200,
      requireAtBoot: false,
    },
    options: {
      centrifuge: true,
      heartbeat: { intervalMs: 3_000, timeoutMs: 3_000 },
      presence: { graceMs: GRACE_MS, online: true },
      drain: { timeoutMs: DRAIN_MS },
      limits: { maxHistoryPage: 1_000, acceptsPerSecond: Infinity, maxUnauthenticatedPerIp: Infinity },
    },
    diary,
    ...more,
  };
}

/** Waits until everybody sees who is there, and the hooks have told it; or until it has taken too long. */
async function picturesOf(
  cast: Cast,
  nodes: Nodes,
  hooks: () => Promise<readonly HookCall[]>,
  losses: readonly Loss[],
): Promise<{ readonly pictures: readonly Picture[]; readonly away: readonly string[] }> {
  for (const deadline = performance.now() + HEALED_MS; ; await delay(500)) {
    const asked = [...cast.present.keys()].flatMap((topic) =>
      nodes.all.map(async (node): Promise<Picture> => {
        const users = await node.ask('usersIn', topic).catch((error: unknown) => [{ userId: String(error) }]);
        return pictureOf(`usersIn() of node ${node.pid}`, topic, users as readonly Member[]);
      }),
    );
    const pictures = [...cast.pictures, ...(await Promise.all(asked))];
    const seen = {
      news: [],
      present: cast.present,
      online: cast.online,
      pictures,
      infos: cast.infos.given,
      hooks: await hooks(),
      losses,
      ends: nodes.ends,
    };
    const { away } = cast;
    let isRight = away.length === 0;
    const find = () => void (isRight = false);
    checkPresence(seen, find);
    checkInfos(seen, find);
    checkHooks(seen, find);
    if (isRight || performance.now() > deadline) return { pictures, away };
  }
}

async function entriesOf(file: string): Promise<readonly DiaryEntry[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as DiaryEntry);
}

async function hooksIn(file: string, log: RunLog): Promise<readonly HookCall[]> {
  const entries = await entriesOf(file);
  const isWatched = (entry: DiaryEntry) =>
    'topic' in entry && (entry.topic !== ONLINE || COME_AND_GO.test(entry.userId));
  return entries.filter(isWatched).map((entry) => ({ ...entry, at: log.momentOf(entry.at) }) as HookCall);
}

async function attachmentsIn(file: string, log: RunLog): Promise<readonly Attachment[]> {
  const entries = await entriesOf(file);
  const isOne = (entry: DiaryEntry) => entry.kind === 'attached' || entry.kind === 'detached';
  return entries.flatMap((entry) => (isOne(entry) ? [{ ...entry, at: log.momentOf(entry.at) } as Attachment] : []));
}

async function noteWarnings(file: string, log: RunLog): Promise<void> {
  for (const entry of await entriesOf(file)) {
    const what = wordsOf(entry);
    log.entries.push({ at: log.momentOf(entry.at), what: `node ${entry.node}: ${what}` });
  }
}

function wordsOf(entry: DiaryEntry): string {
  if (entry.kind === 'warning') return entry.text;
  return 'topic' in entry ? `hook: ${entry.kind} ${entry.topic} ${entry.userId}` : entry.kind;
}

function figuresOf(record: RunRecord, log: RunLog): Record<string, number> {
  const statements = [...record.logs.values()].flatMap((each) => each.statements);
  const notes = [...record.logs.values()].flatMap((each) => [...each.diaries.values()].flat());
  const count = <T>(items: readonly T[], is: (item: T) => boolean) => items.filter(is).length;
  return {
    seconds: Math.round(log.now() / 1_000),
    published: statements.length + record.sendings.length,
    acknowledged:
      count(statements, ({ outcome }) => outcome.kind === 'acknowledged') +
      count(record.sendings, ({ report }) => report !== undefined),
    delivered:
      count(notes, ({ kind }) => kind === 'got') +
      record.visits.reduce((sum, { arrivals }) => sum + arrivals.length, 0),
    recovered: count(notes, (note) => note.kind === 'told' && note.recovered === true),
    notRecovered: count(notes, (note) => note.kind === 'told' && note.recovered === false),
    reportsComplete: count(record.sendings, ({ report }) => report?.complete === true),
    reportsIncomplete: count(record.sendings, ({ report }) => report?.complete === false),
    repeatedKeys: record.repetitions.length,
    orders: record.orders.length,
    ordersComplete: count(record.orders, ({ complete }) => complete),
    presenceNews: record.news.length,
    infosByConnections: count(record.infos, ({ connection, taken }) => connection !== undefined && taken !== undefined),
    infosByApplication: count(record.infos, ({ connection, taken }) => connection === undefined && taken !== undefined),
    hooks: record.hooks.length,
  };
}
