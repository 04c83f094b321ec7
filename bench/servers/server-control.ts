import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { TEXT } from '../dialect.js';
import { clock } from './item-clock.js';
import { Lateness } from './lateness.js';
import { topicName } from '../workload.js';

/** The payload of a message: `ts` is the time at which the generator requested it. */
export interface Tick {
  readonly topic: string;
  readonly seq: number;
  readonly ts: number;
  readonly text: string;
}

/** The operations that the generator requests of a server under test. */
export interface ServerUnderTest {
  /** The port that clients connect to. */
  readonly port: number;
  /** Publishes one message, to all connections if there is no topic. */
  publish(topic: string | undefined, tick: Tick): void;
  /** How many clients are connected. */
  connections(): number | Promise<number>;
  /** Publishes so many messages to a topic. @returns where its stream stands then */
  keep?(topic: string, count: number): Promise<StreamPlace>;
  /** Changes the rights of all clients, and waits until so many subscriptions were judged. @returns how many were */
  judge?(subscriptions: number): Promise<number>;
  /** Publishes a stream of the items of {@link clock} to a topic. */
  stream?(topic: string): void;
  /** How many users are in a topic, where that is known. */
  users?(topic: string): Promise<number>;
  /** The resources used so far. Default: those of this process. */
  usage?(): Promise<ProcessUsage>;
}

export interface ProcessUsage {
  readonly cpuMicros: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
  /** What belongs to objects and is not in the heap, such as buffers. */
  readonly externalBytes?: number;
}

export interface StreamPlace {
  readonly epoch: string;
  readonly offset: number;
}

/**
 * Opens a second port, for the generator, and tells the runner both. Lines come in, with a line back where one is named:
 *
 * - `P <topic or *> <seq> <ts>` publishes a message
 * - `G` collects the garbage: `G`
 * - `U` asks for what the process has used: `U <microseconds of CPU> <bytes of RSS> <connections> <bytes of heap> <bytes beside it>`
 * - `K <topic> <count>` publishes so many messages, and waits until all are kept: `K <epoch> <offset>`
 * - `R <count>` changes the rights of all clients, and waits until so many subscriptions were judged: `R <judged>`
 * - `N <topic>` asks for the number of users: `N <users>`, or `N -1` if it is unknown
 * - `S <count> <bytes> <topics>` has streams begin that have so many items of this size, one in each of so many topics: `S`
 * - `W` asks how many streams wait for their next item: `W <streams>`
 * - `T <ts>` gives each stream its next item
 * - `D` asks how late timers were since the last time: `D <ms, 99 % were below> <ms at most>`
 */
export async function control(server: ServerUnderTest): Promise<void> {
  const listener = createServer({ noDelay: true }, (socket) => obey(socket, server));
  await once(listener.listen(0, '127.0.0.1'), 'listening');
  process.send?.({ port: server.port, control: (listener.address() as AddressInfo).port });
  // The parent process has ended, or wants this one to end.
  process.on('disconnect', () => process.exit(0));
}

const lateness = new Lateness();

function obey(socket: Socket, server: ServerUnderTest): void {
  let rest = '';
  socket.setEncoding('latin1').on('error', () => socket.destroy());
  socket.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    for (const line of lines) {
      const [order, topic, seq, ts] = line.split(' ') as [string, string, string, string];
      if (order === 'T') clock.tick(Number(topic));
      else if (order === 'P') {
        server.publish(topic === '*' ? undefined : topic, { topic, seq: Number(seq), ts: Number(ts), text: TEXT });
      } else if (order === 'G') {
        globalThis.gc!();
        socket.write('G\n');
      } else if (order === 'D') socket.write(`D ${lateness.read().join(' ')}\n`);
      else if (order === 'U') void tellUsage(socket, server);
      else if (order === 'K')
        void server.keep!(topic, Number(seq)).then(({ epoch, offset }) => socket.write(`K ${epoch} ${offset}\n`));
      else if (order === 'R') void server.judge!(Number(topic)).then((judged) => socket.write(`R ${judged}\n`));
      else if (order === 'S') {
        clock.start(Number(topic), Number(seq));
        for (let number = 0; number < Number(ts); number++) server.stream!(topicName(number));
        socket.write('S\n');
      } else if (order === 'W') socket.write(`W ${clock.waiting}\n`);
      else if (order === 'N')
        void (server.users?.(topic) ?? Promise.resolve(-1)).then((users) => socket.write(`N ${users}\n`));
    }
  });
}

async function tellUsage(socket: Socket, server: ServerUnderTest): Promise<void> {
  const connections = await server.connections();
  const { cpuMicros, rssBytes, heapBytes, externalBytes = 0 } = (await server.usage?.()) ?? ownUsage();
  socket.write(`U ${cpuMicros} ${rssBytes} ${connections} ${heapBytes} ${externalBytes}\n`);
}

function ownUsage(): ProcessUsage {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { cpuMicros: user + system, rssBytes: rss, heapBytes: heapUsed, externalBytes: external };
}
