import { setTimeout as pause } from 'node:timers/promises';
import { SECRET } from '../secret.js';
import { Client } from './client.js';
import { ControlLine } from './control-line.js';
import { userOf } from './crowd.js';
import type { AcceptingJob, AcceptingServer } from './job.js';
import { Tally } from './tally.js';
import { tokenFor } from './token.js';

/** So many clients come to one server before others come to the next. A batch takes less time than disturbances of the machine last. */
const BATCH = 250;

/** So many of them are busy connecting at a time. */
const AT_ONCE = 64;

/** How long a server is left alone before its CPU is looked at, in milliseconds: what is left to do for a client counts. */
const REST_MS = 15;

/** One of the servers, and what it has spent. */
class MeasuredServer {
  cpuMicros = 0;
  #admitted = 0;

  private constructor(
    private readonly server: AcceptingServer,
    private readonly line: ControlLine,
    private readonly tally: Tally,
    private readonly failed: (error: Error) => void,
  ) {}

  static async open(server: AcceptingServer, tally: Tally, failed: (error: Error) => void): Promise<MeasuredServer> {
    return new MeasuredServer(server, await ControlLine.open(server.control), tally, failed);
  }

  async admit(count: number): Promise<void> {
    const before = await this.line.usage();
    const end = this.#admitted + count;
    const worker = async () => {
      while (this.#admitted < end) await this.#enter(this.#admitted++);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    await pause(REST_MS);
    const { cpuMicros, connections } = await this.line.usage();
    if (connections !== end) throw new Error(`A server counts ${connections} clients, not ${end}.`);
    this.cpuMicros += cpuMicros - before.cpuMicros;
  }

  async #enter(number: number): Promise<void> {
    const { port, dialect } = this.server;
    await new Client(number, port, dialect, this.tally, this.failed).enter(tokenFor(userOf(number), SECRET));
  }
}

async function run({ servers, connections }: AcceptingJob, failed: (error: Error) => void): Promise<readonly number[]> {
  const tally = new Tally();
  const measured = await Promise.all(servers.map((server) => MeasuredServer.open(server, tally, failed)));
  for (let admitted = 0; admitted < connections; admitted += BATCH) {
    const count = Math.min(BATCH, connections - admitted);
    // At random: a server that always follows the same other one finds what that has left in the caches.
    for (const left = [...measured]; left.length > 0;) {
      await left.splice(Math.floor(Math.random() * left.length), 1)[0]!.admit(count);
    }
  }
  return measured.map(({ cpuMicros }) => cpuMicros / connections);
}

process.on('message', (job: AcceptingJob) => {
  const failure = new Promise<never>((_resolve, reject) => {
    run(job, reject).then((result) => process.send!({ result }), reject);
  });
  failure.catch((error: unknown) => process.send!({ error: String((error as Error)?.stack ?? error) }));
});
// The parent process has ended, or needs this one no longer.
process.on('disconnect', () => process.exit(0));
process.send!('ready');
