import { EVENTS, REALTIME, SOCKET_IO, type Dialect } from './dialect.js';
import { BENCH, REPOSITORY } from './stage/program.js';

/** A server that is measured. */
export interface Row {
  readonly name: string;
  /** Its programs: clients connect to the last, messages are published on the first. One, unless it is a cluster. */
  readonly programs: readonly string[];
  /** Where its packages are installed. */
  readonly cwd: string;
  readonly dialect: Dialect;
}

/** The package under test; it needs nothing but what the repository itself has installed. */
export const OURS: Row = {
  name: 'nestjs-realtime',
  programs: ['servers/nestjs-realtime.ts'],
  cwd: REPOSITORY,
  dialect: REALTIME,
};

const { ask: _asksNothing, ...TELLS_ONLY } = EVENTS;

export const ROWS: readonly Row[] = [
  OURS,
  // It differs from the loop in how it sends, and in nothing else.
  { name: 'ws-framed', programs: ['servers/ws-framed.ts'], cwd: BENCH, dialect: TELLS_ONLY },
  { name: 'ws-loop', programs: ['servers/ws-loop.ts'], cwd: BENCH, dialect: { ...EVENTS, ask: plainOnly(EVENTS) } },
  { name: 'nest-ws', programs: ['servers/nest-ws.ts'], cwd: BENCH, dialect: EVENTS },
  {
    name: 'socket.io',
    programs: ['servers/socket-io.ts'],
    cwd: BENCH,
    dialect: { ...SOCKET_IO, ask: plainOnly(SOCKET_IO) },
  },
  { name: 'nest-socket.io', programs: ['servers/nest-socket-io.ts'], cwd: BENCH, dialect: SOCKET_IO },
];

/** Without Nest there are no guards and pipes. */
function plainOnly({ ask }: Dialect): Dialect['ask'] {
  return { plain: ask!.plain! };
}
