import { setTimeout as delay } from 'node:timers/promises';
import { SeededRandom } from '../../faults/load/seeded-random.js';
import { Line } from '../../helpers/line.js';
import type { Loss } from '../checker/record.js';
import type { Resumer } from '../../resuming/resumer.js';
import { NOISY_ROOM } from '../rooms.js';
import type { Faults, Ground } from './ground.js';
import type { Nodes } from './nodes.js';
import type { RunLog } from './run-log.js';

/** How long something goes well between two faults of a strand, in milliseconds. */
const CALM_MS = [1_000, 5_000] as const;

/**
 * How long nodes remember after a loss of data who was declared dead before it, in milliseconds: 40 refreshes of their leases. What a
 * second loss within that time costs is that `@OnJoin()` may be missing.
 */
const ASSURED_MS = 16_000;

/** Clocks are ahead of or behind the machine by this much at most, in milliseconds. */
const SKEW_MS = 600_000;

/** The clients that can be cut off, and those that can stop reading. */
export interface Victims {
  readonly cuttable: readonly { cut(): void }[];
  readonly resumers: readonly Resumer[];
}

/**
 * Breaks something every now and then, on two strands at once: servers on one, nodes, ways and clients on the other. On each strand one
 * fault is over before the next begins, and each comes about as often as the others.
 */
export class Nemesis {
  /** How often which fault struck. */
  readonly struck: Record<string, number> = {};
  /** When servers lost data. */
  readonly losses: Loss[] = [];
  #isOver = false;

  constructor(
    private readonly ground: Ground,
    private readonly nodes: Nodes,
    private readonly victims: Victims,
    private readonly log: RunLog,
    private readonly leaseMs: number,
    private readonly seed: number,
  ) {}

  /** Goes on for so long, and until the faults of the time are over. */
  async strike(forMs: number): Promise<void> {
    const over = delay(forMs).then(() => (this.#isOver = true));
    const ofServers = Object.entries(this.ground.faults).map(([name, fault]) => [
      name,
      async () => {
        const from = this.log.now();
        await this.nodes.away(this.nodes.all, fault).finally(() => {
          if (this.ground.losing.test(name)) this.losses.push({ from, over: this.log.now() });
        });
      },
    ]);
    await Promise.all([
      this.#strand(Object.fromEntries(ofServers) as Faults, new SeededRandom(this.seed * 1_000 + 998)),
      this.#strand(this.#around(new SeededRandom(this.seed * 1_000 + 997)), new SeededRandom(this.seed * 1_000 + 999)),
    ]);
    await over;
  }

  /** Ends what is left of the faults. */
  async heal(): Promise<void> {
    this.log.note('healing');
    const from = this.log.now();
    await this.nodes.away(this.nodes.all, async () => {
      if (await this.ground.heal()) this.losses.push({ from, over: this.log.now() });
    });
  }

  async #strand(repertoire: Faults, random: SeededRandom): Promise<void> {
    let left: string[] = [];
    const [least, most] = CALM_MS;
    for (;;) {
      await delay(least + random.below(most - least));
      if (this.#isOver) return;
      if (left.length === 0) left = Object.keys(repertoire);
      const fitting = left.filter((name) => !this.#losesTooSoon(name));
      if (fitting.length === 0) continue;
      const fault = random.pick(fitting);
      left = left.filter((other) => other !== fault);
      this.struck[fault] = (this.struck[fault] ?? 0) + 1;
      this.log.note(`begins: ${fault}`);
      await repertoire[fault]!().catch((error: unknown) => this.log.note(`${fault}: ${String(error)}`));
      this.log.note(`is over: ${fault}`);
    }
  }

  /** True for a fault by which data may be lost while nodes may still be in doubt about an earlier loss. */
  #losesTooSoon(fault: string): boolean {
    return this.ground.losing.test(fault) && this.log.now() - (this.losses.at(-1)?.over ?? -Infinity) < ASSURED_MS;
  }

  /** The faults around the servers. */
  #around(random: SeededRandom): Faults {
    const between = (least: number, most: number) => least + random.below(most - least);
    const pick = () => random.below(this.nodes.all.length);
    const atAWay = (set: (way: ReturnType<Ground['ways']>[number]) => void, ms: () => number) => async () => {
      const index = pick();
      this.log.note(`… of node ${this.nodes.all[index]!.pid}`);
      await this.nodes.away([this.nodes.all[index]!], async () => {
        this.ground.ways(index).forEach(set);
        await delay(ms());
        this.ground.ways(index).forEach((way) => way.pass());
      });
    };
    return {
      'a node is killed': () => this.nodes.replace(pick(), 'SIGKILL'),
      'nodes are restarted one after the other': async () => {
        for (const index of this.nodes.all.keys()) await this.nodes.replace(index, 'SIGTERM');
      },
      'a node is frozen longer than its lease': () => this.#freeze(pick(), this.leaseMs + between(500, 4_000)),
      'a node is frozen for a moment': () => this.#freeze(pick(), between(300, 1_500)),
      'the way to Redis is cut': atAWay(
        (way) => way.refuse(),
        () => between(500, 4 * this.leaseMs),
      ),
      'the way to Redis is slow': atAWay(
        (way) => way.delay(between(5, 400)),
        () => between(1_000, 5_000),
      ),
      'the way to Redis is half open': atAWay(
        (way) => way.stall(),
        () => between(500, 2 * this.leaseMs),
      ),
      'replies of Redis do not arrive': atAWay(
        (way) => way.stall(['replies']),
        () => between(500, 2 * this.leaseMs),
      ),
      'connections to Redis break': atAWay(
        (way) => way.cut(),
        () => 10,
      ),
      'the clock of a node jumps': () => random.pick(this.nodes.all).ask('jumpClock', between(-SKEW_MS, SKEW_MS)),
      'clients are cut off': async () => {
        for (const victim of this.victims.cuttable) if (random.below(2) === 0) victim.cut();
      },
      'clients stop reading': async () => {
        const slow = this.victims.resumers.filter(() => random.below(3) === 0);
        await Promise.all(slow.map((resumer) => resumer.stall(between(1_000, 8_000))));
      },
      'those who do not read are flooded': () => this.#flood(pick()),
    };
  }

  async #freeze(index: number, ms: number): Promise<void> {
    const node = this.nodes.all[index]!;
    this.log.note(`… node ${node.pid}, for ${ms} ms`);
    await this.nodes.away([node], async () => {
      node.signal('SIGSTOP');
      await delay(ms);
      node.signal('SIGCONT');
    });
  }

  async #flood(index: number): Promise<void> {
    const node = this.nodes.all[index]!;
    const line = await Line.open(node.port, 'sleeper', 2_000);
    if (!line) return;
    await line.ask({ action: 'subscribe', topic: NOISY_ROOM });
    line.pause();
    await node.ask('flood', NOISY_ROOM, 400, 16 * 1_024).catch(() => undefined);
    await delay(1_000);
    line.cut();
  }
}
