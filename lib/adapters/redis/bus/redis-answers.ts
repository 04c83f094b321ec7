import type { BusFrame, FrameStart } from '../../../core/bus/bus-frame.js';
import type { DeliveryReport } from '../../../core/routing/delivery-report.js';
import { isAnsweredByAll, reportOf } from '../../../core/routing/delivery-tally.js';
import type { NodeQueryResult } from '../../../core/bus/node-query.js';
import { shorterSnapshot } from '../../../core/bus/shorter-snapshot.js';
import { RealtimeError } from '../../../errors/realtime.error.js';
import { AnswerBatch } from './answer-batch.js';
import { fromQueryResultData, toQueryResultData } from './node-query-result-data.js';
import { NodeCoverage } from './node-coverage.js';
import { PendingAnswers, ROLL_CALL_TIMEOUT_MS, type Pending } from './pending-answers.js';
import type { RedisChannel, RedisChannels } from '../connection/redis-channels.js';
import type { RedisTransport } from '../connection/redis-transport.js';
import type { RedisNetwork } from '../connection/redis-network.js';
import type { RedisServer } from '../connection/redis-server.js';
import type { RedisNodeDirectory } from '../directory/redis-node-directory.js';

/** Most query results in one frame. */
const MAX_RESULTS = 128;

/** The answers between nodes: the number of connections that an envelope has reached, and the results of queries. */
export class RedisAnswers {
  readonly #batch: AnswerBatch;
  readonly #pending = new PendingAnswers(() => this.#callRoll());
  readonly #coverage: NodeCoverage;

  constructor(
    private readonly network: RedisNetwork,
    private readonly channels: RedisChannels,
    private readonly transport: RedisTransport,
    private readonly directory: RedisNodeDirectory,
  ) {
    this.#batch = new AnswerBatch(channels, transport);
    this.#coverage = new NodeCoverage(channels, directory, (sequence, isCovered) =>
      this.#pending.covered(sequence, isCovered),
    );
  }

  /**
   * Waits for the nodes' answers to an envelope; called in the turn in which it is published.
   * @param channel the channel of the envelope
   * @param settle called once all nodes have answered or the wait has ended; `isCarried` is false if Redis has not confirmed
   * the envelope
   */
  open(
    server: RedisServer,
    { partition }: RedisChannel,
    sequence: number,
    settle: (report: DeliveryReport, isCarried: boolean) => void,
  ): void {
    const isChecked = this.#coverage.isNeeded;
    // A node that is not known yet may have missed it, and be known when the wait ends.
    const { isFleetKnown } = this.directory;
    const settled = (pending: Pending): void =>
      settle(reportOf(pending, isFleetKnown && this.#isWhole), pending.expected !== undefined);
    const pending = this.#pending.open(sequence, settled, { isChecked });
    if (isChecked) pending.baseline = this.#coverage.check(server, sequence, partition);
  }

  /**
   * Records the number of nodes that received an envelope, according to Redis.
   * @param answering the number of them that answer
   */
  expect(sequence: number, reached: number, answering: number): void {
    this.#pending.expect(sequence, reached, answering);
  }

  /** Records that some node may never receive it: its report is incomplete. */
  doubt(sequence: number): void {
    this.#pending.doubt(sequence);
  }

  /** Records that this node has delivered an envelope of its own. */
  served(sequence: number, recipients: number, dropped = 0): void {
    this.#pending.answer(sequence, recipients, dropped);
  }

  /** Checks again whether every live node can be reached, for an envelope that was published, perhaps after the check. */
  checkAgain(server: RedisServer, { partition }: RedisChannel, sequence: number): void {
    const pending = this.#pending.checkedAgain(sequence);
    if (pending) this.#coverage.checkAgain(server, sequence, partition, pending.baseline);
  }

  /** Ends the wait: no further answers will come. */
  fail(sequence: number): void {
    this.#pending.fail(sequence);
  }

  /** Tells a node how many connections its envelope has reached here, and for how many it was left out. */
  report(origin: string, sequence: number, recipients: number, dropped = 0): void {
    this.#batch.add(origin, [sequence, recipients], dropped);
  }

  /** Tells a node that this one could not act on its envelope or query, so that this does not count as "no connections". */
  decline({ origin, sequence }: FrameStart): void {
    const counts = [[sequence, 0]] as const;
    const channel = this.channels.answersTo(origin);
    const text = this.transport.textOf(channel, {
      kind: 'reached',
      ...this.transport.next(),
      counts,
      isUnserved: true,
    });
    if (text !== undefined) this.transport.send(channel, text, ignore, ignore);
  }

  /**
   * Publishes a query, and resolves with the results of the nodes.
   * @param isPartial true: nodes that have not answered in time are left out; else they make it reject
   */
  ask(channel: RedisChannel, text: string, sequence: number, isPartial: boolean): Promise<readonly unknown[]> {
    const { isFleetKnown } = this.directory;
    return new Promise((resolve, reject) => {
      const settle = (pending: Pending): void => {
        if (isPartial || (isAnsweredByAll(pending) && isFleetKnown && this.#isWhole)) resolve(pending.results);
        else reject(new RealtimeError('UNAVAILABLE', 'Not every node has answered.'));
      };
      const server = this.network.serverOf(channel.partition);
      const isChecked = server !== undefined && this.#coverage.isNeeded;
      this.#pending.open(sequence, settle, { isChecked });
      if (isChecked) this.#coverage.check(server, sequence, channel.partition);
      this.#count(channel, text, sequence);
    });
  }

  /** Answers a query with the results of this node. */
  answer({ origin, sequence }: FrameStart, results: readonly NodeQueryResult[]): void {
    if (this.transport.isOwn(origin)) {
      this.#pending.add(sequence, results);
      return this.#pending.answer(sequence, 0);
    }
    for (let i = 0; i === 0 || i < results.length; i += MAX_RESULTS) {
      const part = results.slice(i, i + MAX_RESULTS);
      const frameOf = (found: readonly unknown[], isEnd: boolean): BusFrame => {
        return { kind: 'result', ...this.transport.next(), about: sequence, results: found, isLast: isEnd };
      };
      const isLast = i + MAX_RESULTS >= results.length;
      const say = (found: readonly NodeQueryResult[]): boolean =>
        this.transport.sayAll(this.channels.answersTo(origin), found.map(toQueryResultData), frameOf, isLast);
      // An answer without its last part does not count.
      if (!say(part) && !saysShorter(part, say)) return;
    }
  }

  take(frame: Extract<BusFrame, { kind: 'roll-call' | 'reached' | 'result' }>): void {
    switch (frame.kind) {
      case 'roll-call':
        if (this.transport.isOwn(frame.origin)) this.#pending.answer(frame.sequence, 0);
        else this.#batch.add(frame.origin, [frame.sequence, 0]);
        return;
      case 'reached':
        for (const [about, connections] of frame.dropped ?? []) this.#pending.leftOut(about, connections);
        for (const [about, recipients] of frame.counts) {
          if (frame.isUnserved) this.#pending.decline(about);
          else this.#pending.answer(about, recipients);
        }
        return;
      case 'result':
        this.#pending.add(frame.about, frame.results.flatMap(fromQueryResultData));
        if (frame.isLast) this.#pending.answer(frame.about, 0);
        return;
    }
  }

  tick(): void {
    this.#pending.tick();
  }

  /** Settles every wait with the answers received so far. */
  close(): void {
    this.#pending.close();
  }

  /** True if every live node can be reached, as far as this node knows. */
  get #isWhole(): boolean {
    return this.network.isAttached && this.directory.isEveryNodeAttached;
  }

  /** Publishes a frame that every node answers. */
  #count(channel: RedisChannel, text: string, sequence: number): void {
    this.transport.send(
      channel,
      text,
      (count) => this.#pending.expect(sequence, count),
      () => this.#pending.fail(sequence),
    );
  }

  #callRoll(): void {
    const spoken = this.transport.next();
    const text = this.transport.textOf(this.channels.everybody, { kind: 'roll-call', ...spoken });
    const called = ({ expected, answered }: Pending): void =>
      this.#pending.rollCalled(Math.max(0, (expected ?? answered) - answered));
    this.#pending.open(spoken.sequence, called, { timeoutMs: ROLL_CALL_TIMEOUT_MS });
    if (text !== undefined) this.#count(this.channels.everybody, text, spoken.sequence);
  }
}

/** Shortens a snapshot that does not fit into one frame, until it does. */
function saysShorter(
  [result, ...others]: readonly NodeQueryResult[],
  say: (found: [NodeQueryResult]) => boolean,
): boolean {
  if (others.length > 0 || typeof result !== 'object' || !('nodeId' in result)) return false;
  for (let next = shorterSnapshot(result); next; next = shorterSnapshot(next)) if (say([next])) return true;
  return false;
}

function ignore(): void {}
