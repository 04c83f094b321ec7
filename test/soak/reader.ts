import { testToken, type ReceivedFrame } from 'nestjs-realtime/testing';
import type { Saying } from '../faults/load/node/rooms.js';
import type { SeededRandom } from '../faults/load/seeded-random.js';
import { Line } from '../helpers/line.js';
import { ROOMS } from './rooms.js';
import type { Stage } from './stage.js';

/** Closes that a well-behaved client must expect: a mass disconnect, and a restart. */
const EXPECTED = new Set([3000, 3001]);

/** Somebody who reads everything in all rooms, and comes back when it is sent away. */
export class Reader {
  #line: Line | undefined;
  /** It has broken off by itself, or was cut off on the way. */
  #hasBrokenOff = false;

  constructor(
    private readonly stage: Stage,
    private readonly name: string,
    private readonly random: SeededRandom,
  ) {}

  async read(): Promise<void> {
    while (!this.stage.isOver) {
      await this.#visit();
      await this.stage.pause(100 + this.random.below(400));
    }
  }

  /** The network breaks down. */
  cut(): void {
    this.#hasBrokenOff = true;
    this.#line?.cut();
  }

  async #visit(): Promise<void> {
    const { node, ledger } = this.stage;
    const line = await Line.open(node.port, this.name);
    if (!line) return;
    this.#line = line;
    this.#hasBrokenOff = false;
    const visit = await this.#enter(line, node.pid);
    const closed = line.closed.then((code) => {
      const byServer = EXPECTED.has(code);
      if (visit) ledger.close(visit, byServer);
      if (!byServer && !this.#hasBrokenOff) ledger.report('dropped', `${this.name} was closed with ${code}`);
      return undefined;
    });
    if (visit) await this.#stay(line, visit);
    this.#hasBrokenOff = true;
    line.close();
    await closed;
  }

  /** @returns the name of the visit, once it is in all rooms; nothing when it was sent away before it was welcome */
  async #enter(line: Line, node: number): Promise<string | undefined> {
    const { ledger } = this.stage;
    const visit = await line.welcomed;
    if (visit === undefined) return undefined;
    ledger.open(visit, node);
    line.onFrame = ({ type, topic, payload }: ReceivedFrame) => {
      if (type === 'said') ledger.arrive(visit, topic!, (payload as Saying).place);
    };
    for (const topic of ROOMS) if (await this.#ask(line, { action: 'subscribe', topic })) ledger.enter(visit, topic);
    return visit;
  }

  /** Checks repeatedly whether everything has arrived, and now and then reconnects. */
  async #stay(line: Line, visit: string): Promise<void> {
    while (line.isOpen) {
      if (this.random.below(10) === 0) await this.#ask(line, { action: 'auth', token: testToken(this.name) });
      const owed = this.stage.ledger.owed(visit);
      if (await this.#ask(line, { action: 'ping' })) this.stage.ledger.demand(visit, owed);
      if (this.stage.isOver || this.random.below(60) === 0) return;
      await this.stage.pause(500 + this.random.below(1_000));
    }
  }

  /** @returns false when the connection ended before there was an answer */
  async #ask(line: Line, command: Record<string, unknown>): Promise<boolean> {
    const answer = await line.ask(command);
    if (answer === 'late') this.stage.ledger.report('unanswered', `${this.name}: ${String(command['action'])}`);
    else if (answer !== 'closed' && answer.type === 'realtime:error') {
      this.stage.ledger.report('unanswered', `${this.name}: ${answer.payload.code}`);
    }
    return typeof answer === 'object';
  }
}
