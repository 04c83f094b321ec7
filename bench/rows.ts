import {
  CENTRIFUGE,
  CENTRIFUGE_PROTOBUF,
  EVENTS,
  REALTIME,
  SERVER_SENT_EVENTS,
  SOCKET_IO,
  type Dialect,
} from './dialect.js';
import { BENCH, REPOSITORY } from './stage/program.js';

/** A server that is measured. */
export interface Row {
  readonly name: string;
  /** The program that each of its nodes runs. */
  readonly program: string;
  /** The copy of the repository that the program belongs to. Default: this one. */
  readonly repository?: string;
  /** The folder in which its packages are installed. */
  readonly cwd: string;
  readonly dialect: Dialect;
  /** Redis is between its nodes. */
  readonly needsRedis?: boolean;
}

/** The package under test; it needs nothing but what the repository itself has installed. */
export const OURS: Row = {
  name: 'nestjs-realtime',
  program: 'servers/nestjs-realtime.ts',
  cwd: REPOSITORY,
  dialect: REALTIME,
};

const { ask: _asksNothing, ...TELLS_ONLY } = EVENTS;

export const ROWS: readonly Row[] = [
  OURS,
  // It differs from the loop in how it sends, and in nothing else.
  { name: 'ws-framed', program: 'servers/ws-framed.ts', cwd: BENCH, dialect: TELLS_ONLY },
  { name: 'ws-loop', program: 'servers/ws-loop.ts', cwd: BENCH, dialect: { ...EVENTS, ask: plainOnly(EVENTS) } },
  { name: 'nest-ws', program: 'servers/nest-ws.ts', cwd: BENCH, dialect: EVENTS },
  { name: 'nest-ws-verified', program: 'servers/nest-ws-verified.ts', cwd: BENCH, dialect: EVENTS },
  {
    name: 'nest-ws-managed',
    program: 'servers/nest-ws-managed.ts',
    cwd: BENCH,
    dialect: { ...EVENTS, welcome: '"welcome"' },
  },
  {
    name: 'socket.io',
    program: 'servers/socket-io.ts',
    cwd: BENCH,
    dialect: { ...SOCKET_IO, ask: plainOnly(SOCKET_IO) },
  },
  { name: 'nest-socket.io', program: 'servers/nest-socket-io.ts', cwd: BENCH, dialect: SOCKET_IO },
];

/** Those that run on several nodes, with Redis between them. */
export const CLUSTER_ROWS: readonly Row[] = [
  {
    ...OURS,
    name: 'nestjs-realtime-unreported',
    program: 'servers/nestjs-realtime-redis-unreported.ts',
    needsRedis: true,
  },
  { ...OURS, name: 'nestjs-realtime', program: 'servers/nestjs-realtime-redis.ts', needsRedis: true },
  { name: 'ws-framed', program: 'servers/ws-framed-redis.ts', cwd: BENCH, dialect: TELLS_ONLY, needsRedis: true },
  { name: 'socket.io-redis', program: 'servers/socket-io-redis.ts', cwd: BENCH, dialect: SOCKET_IO, needsRedis: true },
  {
    name: 'socket.io-redis-streams',
    program: 'servers/socket-io-redis-streams.ts',
    cwd: BENCH,
    dialect: SOCKET_IO,
    needsRedis: true,
  },
];

const { ask: _asksAsOurs, ...OURS_TELLS_ONLY } = REALTIME;

/** This package, and what its features cost. */
export const FEATURE_ROWS: readonly Row[] = [
  OURS,
  {
    ...OURS,
    name: 'nestjs-realtime-history',
    program: 'servers/nestjs-realtime-history.ts',
    dialect: OURS_TELLS_ONLY,
  },
  {
    ...OURS,
    name: 'nestjs-realtime-presence',
    program: 'servers/nestjs-realtime-presence.ts',
    dialect: OURS_TELLS_ONLY,
  },
  {
    ...OURS,
    name: 'nestjs-realtime-centrifuge',
    program: 'servers/nestjs-realtime-centrifuge.ts',
    dialect: CENTRIFUGE,
  },
  {
    ...OURS,
    name: 'nestjs-realtime-centrifuge-protobuf',
    program: 'servers/nestjs-realtime-centrifuge.ts',
    dialect: CENTRIFUGE_PROTOBUF,
  },
  {
    ...OURS,
    name: 'nestjs-realtime-history-redis',
    program: 'servers/nestjs-realtime-history-redis.ts',
    dialect: OURS_TELLS_ONLY,
    needsRedis: true,
  },
  {
    ...OURS,
    name: 'nestjs-realtime-presence-redis',
    program: 'servers/nestjs-realtime-presence-redis.ts',
    dialect: OURS_TELLS_ONLY,
    needsRedis: true,
  },
];

/** This package, and what it costs to look at it. */
export const OPERATING_ROWS: readonly Row[] = [
  OURS,
  { ...OURS, name: 'nestjs-realtime-metrics', program: 'servers/nestjs-realtime-metrics.ts' },
  { ...OURS, name: 'nestjs-realtime-traces', program: 'servers/nestjs-realtime-traces.ts' },
];

/** Rows that are there for what accepting costs, and otherwise the same as `nest-ws`. */
export const ACCEPTING_ONLY: ReadonlySet<string> = new Set(['nest-ws-verified', 'nest-ws-managed']);

/** Those that have handlers, which a bystander can ask; ours with all that its topics can have. */
export const BYSTANDER_ROWS: readonly Row[] = [
  { ...OURS, program: 'servers/nestjs-realtime-everything.ts' },
  ...ROWS.filter(({ name, dialect }) => dialect.ask && name !== OURS.name && !ACCEPTING_ONLY.has(name)),
];

/** Those that stream: ours with what published streams need, and once more without joining their items. */
export const STREAM_ROWS: readonly Row[] = [
  { ...OURS, program: 'servers/nestjs-realtime-streams.ts' },
  { ...OURS, name: 'nestjs-realtime-unjoined', program: 'servers/nestjs-realtime-streams-unjoined.ts' },
  ...ROWS.filter(({ name }) => name === 'socket.io' || name === 'nest-socket.io'),
  { name: 'nest-sse', program: 'servers/nest-sse.ts', cwd: BENCH, dialect: SERVER_SENT_EVENTS },
];

/** The row with readers that take a tenth. */
export const LATEST = 'nestjs-realtime-latest';

/** Those that publish to a topic faster than readers want. */
export const PACE_ROWS: readonly Row[] = [
  OURS,
  { ...OURS, name: LATEST, program: 'servers/nestjs-realtime-latest.ts', dialect: OURS_TELLS_ONLY },
  { name: 'socket.io-volatile', program: 'servers/socket-io-volatile.ts', cwd: BENCH, dialect: SOCKET_IO },
];

/** Without Nest there are no guards and pipes. */
function plainOnly({ ask }: Dialect): Dialect['ask'] {
  return { plain: ask!.plain! };
}
