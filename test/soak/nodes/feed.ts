import { testToken } from 'nestjs-realtime/testing';
import { setTimeout as delay } from 'node:timers/promises';
import type { SeededRandom } from '../../faults/load/seeded-random.js';
import { Line } from '../../helpers/line.js';
import { sdkFor } from '../../helpers/sdk.js';
import type { Sending, Visit } from '../checker/record.js';
import type { Balancer } from './balancer.js';
import type { Nodes } from './nodes.js';
import type { RunLog } from './run-log.js';

/** A topic without a history. */
export const FEED = 'room:feed';

const PATIENCE_MS = 2_000;

type OpenVisit = { -readonly [K in keyof Visit]: Visit[K] } & { arrivals: string[] };

/** Publishes to the topic without a history on one node, one call after the other, and keeps the reports. */
export class Feeder {
  readonly sendings: Sending[] = [];
  #isOver = false;
  readonly #publishing: Promise<void>;

  constructor(
    private readonly index: number,
    private readonly nodes: Nodes,
    private readonly log: RunLog,
    private readonly everyMs: number,
  ) {
    this.#publishing = this.#publish();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#publishing;
  }

  async #publish(): Promise<void> {
    const publisher = `feeder-${this.index}`;
    for (let number = 0; !this.#isOver; number++) {
      const key = `${publisher}-${number}`;
      const begun = this.log.now();
      const node = this.nodes.all[this.index]!;
      const report = await node.publish(FEED, { type: 'fed', payload: { key } }).catch(() => undefined);
      const ended = this.log.now();
      this.sendings.push({ key, publisher, number, node: node.pid, begun, ended, ...(report && { report }) });
      await delay(this.everyMs);
    }
  }
}

/** Subscribes to the topic without a history over the plain protocol, and comes back when it is sent away. */
export class FeedReader {
  readonly visits: OpenVisit[] = [];
  #line: Line | undefined;
  #isOver = false;
  readonly #travelling: Promise<void>;

  constructor(
    readonly name: string,
    private readonly nodes: Nodes,
    private readonly random: SeededRandom,
    private readonly log: RunLog,
  ) {
    this.#travelling = this.#travel();
  }

  get isIn(): boolean {
    const last = this.visits.at(-1);
    return last?.opened !== undefined && last.closed === undefined;
  }

  cut(): void {
    this.#line?.cut();
  }

  /** The last visit stays open: everything that was written to it has arrived. */
  async stop(): Promise<void> {
    this.#isOver = true;
    this.#line?.close();
    await this.#travelling;
  }

  async #travel(): Promise<void> {
    while (!this.#isOver) {
      const { port, pid } = this.random.pick(this.nodes.all);
      const line = (this.#line = await Line.open(port, this.name, PATIENCE_MS));
      if (line) await this.#visit(line, pid);
      await delay(this.random.below(100));
    }
  }

  async #visit(line: Line, node: number): Promise<void> {
    const visit: OpenVisit = { client: this.name, node, asked: this.log.now(), arrivals: [] };
    this.visits.push(visit);
    line.onFrame = ({ type, topic, payload }) => {
      if (type === 'fed') visit.arrivals.push(payload.key);
      else if (type === 'realtime:unsubscribed' && topic === FEED) line.close();
    };
    const closed = line.closed.then(() => this.#isOver || (visit.closed = this.log.now()));
    const answer = await line.ask({ action: 'subscribe', topic: FEED });
    if (typeof answer === 'object' && answer.type === 'realtime:subscribed') visit.opened = this.log.now();
    else line.close();
    if (this.#isOver) line.close();
    await closed;
  }
}

/** The same with the SDK. */
export class SdkFeedReader {
  readonly visits: OpenVisit[] = [];
  readonly #stop: () => void;

  constructor(
    readonly name: string,
    door: Balancer,
    log: RunLog,
  ) {
    const client = sdkFor({ url: `http://127.0.0.1:${door.port}` }, { token: testToken(name) }, () => undefined);
    const subscription = client.newSubscription(FEED);
    let asked = log.now();
    const left = () => {
      const last = this.visits.at(-1);
      if (last && last.closed === undefined) last.closed = log.now();
      asked = log.now();
    };
    subscription.on('subscribing', left);
    subscription.on('unsubscribed', left);
    subscription.on('subscribed', () => {
      this.visits.push({ client: name, node: door.node, asked, opened: log.now(), arrivals: [] });
    });
    subscription.on('publication', ({ data }) => void this.visits.at(-1)?.arrivals.push(data.payload.key));
    subscription.subscribe();
    client.connect();
    this.#stop = () => {
      subscription.removeAllListeners();
      client.disconnect();
    };
  }

  get isIn(): boolean {
    const last = this.visits.at(-1);
    return last !== undefined && last.closed === undefined;
  }

  async stop(): Promise<void> {
    this.#stop();
  }
}
