import { describe, expect, it, onTestFinished } from 'vitest';
import { startRedis } from '../../helpers/redis-server.js';
import { startTcpProxy, type TcpProxy } from '../../helpers/tcp-proxy.js';
import type { Journal } from '../../resuming/journal.js';
import { NodeProcesses } from '../../resuming/node-processes.js';
import { SdkSubscriber } from '../../resuming/sdk-subscriber.js';
import { Trial, until } from '../../resuming/trial.js';

const CLIENTS = 9;

/** So many are published while the clients of the killed node are away. */
const MEANWHILE = 20;

/** How long clients may take to notice, in milliseconds. */
const NOTICE_MS = 5_000;

/** Three nodes in processes of their own, of which one is killed while others publish. All clients are SDKs. */
class Play {
  private constructor(
    readonly trial: Trial,
    private readonly processes: NodeProcesses,
    /** The proxies that clients connect to, one for each node, as with a load balancer. */
    private readonly doors: readonly TcpProxy[],
    /** The proxy that each client connects to, in turn. */
    private readonly clients: readonly SdkSubscriber[],
  ) {}

  static async begin(topic: string): Promise<Play> {
    const { url } = await startRedis();
    const processes = await NodeProcesses.start({
      redis: { url },
      options: {
        centrifuge: true,
        limits: { maxHistoryPage: 1_000, acceptsPerSecond: Infinity, maxUnauthenticatedPerIp: Infinity },
      },
    });
    onTestFinished(() => processes.kill());
    const doors = await Promise.all(processes.nodes.map(({ port }) => startTcpProxy(port)));
    const clients: SdkSubscriber[] = [];
    const connect = (journal: Journal) => {
      const portOf = (n: number) => doors[n % doors.length]!.port;
      for (let n = 0; n < CLIENTS; n++) clients.push(new SdkSubscriber(`sdk-${n}`, topic, journal, portOf(n)));
      return clients;
    };
    const trial = await Trial.begin(() => processes.nodes, { topic, resumers: 0, others: connect });
    onTestFinished(() => trial.stop());
    return new Play(trial, processes, doors, clients);
  }

  /** Kills the first node. While more is published its clients find no server, and then the second node. */
  async killNode(): Promise<void> {
    const [killed, successor] = this.processes.nodes;
    await this.trial.goesOn(30);
    await killed!.kill();
    const homeless = this.clients.filter((_, n) => n % this.doors.length === 0);
    if (!(await until(() => homeless.every(({ isIn }) => !isIn), NOTICE_MS))) throw new Error('Nobody noticed.');
    await this.trial.goesOn(MEANWHILE);
    this.doors[0]!.redirect(successor!.port);
    await this.trial.isWhole();
    await this.trial.goesOn(30);
  }

  /** How much of what was acknowledged while the node was gone, and before, each client does not have. */
  async missed(): Promise<readonly number[]> {
    await this.trial.stop();
    const { statements, diaries } = this.trial.journal;
    // The last messages may have been in flight when all clients were disconnected.
    const acknowledged = statements.filter(({ outcome }) => outcome.kind === 'acknowledged').slice(0, -30);
    return [...diaries.values()].map((notes) => {
      const had = new Set(notes.map((note) => note.kind === 'got' && note.key));
      return acknowledged.filter(({ key }) => !had.has(key)).length;
    });
  }
}

describe('When one of three nodes is killed while others publish', () => {
  it('its SDKs go on at another one, say that they have recovered, and have all that was acknowledged, once and in order', async () => {
    const play = await Play.begin('log:sdk');
    await play.killNode();
    const verdict = await play.trial.verdict();
    expect(verdict).toMatchObject({ violations: {}, refused: 0, notRecovered: 0, recovered: CLIENTS / 3 });
  });

  it('its SDKs go on at another one, and would miss what came meanwhile if the topic kept no history', async () => {
    const play = await Play.begin('room:sdk');
    await play.killNode();
    const missed = await play.missed();
    expect(missed.map((count) => count >= MEANWHILE)).toEqual(missed.map((_, n) => n % 3 === 0));
  });
});
