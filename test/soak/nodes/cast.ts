import { SeededRandom } from '../../faults/load/seeded-random.js';
import { SdkSubscriber } from '../../resuming/sdk-subscriber.js';
import { Trial } from '../../resuming/trial.js';
import type { RunRecord } from '../checker/record.js';
import { Balancer } from './balancer.js';
import { Exile } from './exiles.js';
import { Feeder, FeedReader, SdkFeedReader } from './feed.js';
import { Guest } from './guest.js';
import { Herald } from './herald.js';
import { Infos } from './infos.js';
import type { Nodes } from './nodes.js';
import type { Victims } from './nemesis.js';
import { Outcasts } from './outcasts.js';
import { Repeater } from './repeater.js';
import type { RunLog } from './run-log.js';
import { TimedJournal } from './timed-journal.js';
import { PlainWatcher, SdkWatcher, type Watching } from './watchers.js';

const LOGS = ['log:1', 'log:2', 'log:3'];
const HALLS = ['hall:1', 'hall:2'];

/** All who publish, subscribe, come and go in a run. */
export class Cast {
  readonly #journals = new Map<string, TimedJournal>();
  readonly #doors: Balancer[] = [];
  readonly #trials: Trial[] = [];
  readonly #feeders: Feeder[] = [];
  readonly #readers: (FeedReader | SdkFeedReader)[] = [];
  readonly #guests: Guest[] = [];
  readonly #watchers: Watching[] = [];
  readonly #exiles: Exile[] = [];
  readonly #repeater: Repeater;
  readonly infos: Infos;
  #herald!: Herald;
  #outcasts!: Outcasts;
  #cast = 0;

  private constructor(
    private readonly nodes: Nodes,
    private readonly log: RunLog,
    private readonly seed: number,
    private readonly everyMs: number,
  ) {
    this.#repeater = new Repeater(nodes, this.#random(), log);
    this.infos = new Infos(log);
  }

  /** Resolves when all who subscribe to topics with a history are in. @param everyMs how long a publisher waits after each answer */
  static async enter(nodes: Nodes, log: RunLog, seed: number, everyMs: number): Promise<Cast> {
    const cast = new Cast(nodes, log, seed, everyMs);
    for (const [n, topic] of LOGS.entries()) await cast.#try(topic, n > 0);
    for (const topic of HALLS) await cast.#gather(topic);
    for (const index of nodes.all.keys()) cast.#feeders.push(new Feeder(index, nodes, log, everyMs));
    for (let n = 0; n < 4; n++) cast.#readers.push(new FeedReader(`reader-${n}`, nodes, cast.#random(), log));
    for (let n = 0; n < 2; n++) cast.#readers.push(new SdkFeedReader(`sdk-reader-${n}`, await cast.#door(), log));
    for (let n = 0; n < 2; n++) cast.#exiles.push(new Exile(`exile-${n}`, nodes, cast.#random(), log));
    cast.#outcasts = new Outcasts(nodes, cast.#random(), log);
    const watchers = cast.#watchers.map(({ topic, name }) => ({ topic, userId: name }));
    cast.#herald = new Herald([...cast.#guests, ...watchers], nodes, cast.#random(), cast.infos);
    return cast;
  }

  get victims(): Victims {
    const resumers = this.#trials.flatMap((trial) => trial.resumers);
    const readers = this.#readers.filter((reader) => reader instanceof FeedReader);
    return { resumers, cuttable: [...resumers, ...readers, ...this.#guests, ...this.#watchers, ...this.#doors] };
  }

  /** Those who are to be in each topic with presence when guests have settled. */
  get present(): ReadonlyMap<string, readonly string[]> {
    return new Map(
      HALLS.map((topic) => {
        const there = [...this.#guests.filter(({ userId }) => this.#stays(userId)), ...this.#watchers];
        const names = there
          .filter((one) => one.topic === topic)
          .map((one) => ('userId' in one ? one.userId : one.name));
        return [topic, [...new Set(names)].sort()];
      }),
    );
  }

  /** Those of the users with an eye on whether they are online who are to be it when guests have settled. */
  get online(): readonly string[] {
    return [...new Set([...this.present.values()].flat())];
  }

  /** The pictures of the watchers; empty while one does not know. */
  get pictures(): RunRecord['pictures'] {
    return this.#watchers.map(({ name, topic, picture }) => picture ?? { seenBy: name, topic, users: [], infos: {} });
  }

  /** Those who are to be somewhere, and are not. */
  get away(): readonly string[] {
    return [
      ...this.#guests.filter((guest) => this.#stays(guest.userId) && !guest.isIn).map(({ userId }) => userId),
      ...this.#watchers.filter(({ picture }) => picture === undefined).map(({ name }) => name),
      ...this.#readers.filter(({ isIn }) => !isIn).map(({ name }) => name),
    ];
  }

  /** Half of the guests go, the others stay; those who publish finish. @returns what did not come back */
  async settle(withinMs: number): Promise<readonly string[]> {
    for (const guest of this.#guests) if (this.#stays(guest.userId)) guest.stay();
    for (const watcher of this.#watchers) watcher.settle();
    await Promise.all([
      ...this.#guests.filter(({ userId }) => !this.#stays(userId)).map((guest) => guest.stop()),
      ...this.#exiles.map((exile) => exile.stop()),
      this.#outcasts.stop(),
      this.#repeater.stop(),
      this.#herald.stop(),
      ...this.#feeders.map((feeder) => feeder.stop()),
    ]);
    const ends = this.#trials.map(async (trial) => {
      await trial.verdict(withinMs);
      return [];
    });
    const results = await Promise.all(ends.map((end) => end.catch((error: unknown) => [String(error)])));
    return results.flat();
  }

  /** All go. */
  async leave(): Promise<void> {
    await Promise.all(
      [
        ...this.#feeders,
        ...this.#exiles,
        this.#outcasts,
        this.#repeater,
        this.#herald,
        ...this.#trials,
        ...this.#readers,
        ...this.#guests,
        ...this.#watchers,
      ].map((one) => one.stop()),
    );
    await Promise.all(this.#doors.map((door) => door.close()));
  }

  /** What they have written down. */
  get recorded(): Pick<RunRecord, 'logs' | 'repetitions' | 'sendings' | 'visits' | 'news' | 'orders' | 'stays'> {
    return {
      logs: this.#journals,
      repetitions: this.#repeater.repetitions,
      sendings: this.#feeders.flatMap(({ sendings }) => sendings),
      visits: this.#readers.flatMap(({ visits }) => visits),
      news: this.#watchers.flatMap(({ news }) => news),
      orders: [...this.#exiles, this.#outcasts].flatMap(({ orders }) => orders),
      stays: [...this.#exiles, this.#outcasts].flatMap(({ stays }) => stays),
    };
  }

  /** Each has a generator of its own: what one does does not depend on when others do it. */
  #random(): SeededRandom {
    return new SeededRandom(this.seed * 1_000 + this.#cast++);
  }

  async #door(): Promise<Balancer> {
    const random = this.#random();
    const door = await Balancer.start(
      () => this.nodes.all,
      () => random.next(),
    );
    this.#doors.push(door);
    return door;
  }

  #stays(userId: string): boolean {
    return Number(userId.split('-')[1]) % 2 === 0;
  }

  async #try(topic: string, isStubborn: boolean): Promise<void> {
    const random = this.#random();
    const door = await this.#door();
    const trial = await Trial.begin(() => this.nodes.all, {
      topic,
      journal: new TimedJournal(this.log),
      publishers: 2,
      resumers: 3,
      everyMs: this.everyMs,
      isStubborn,
      random: () => random.next(),
      others: (journal) => [new SdkSubscriber(`sdk-${topic}`, topic, journal, door.port, () => undefined)],
    });
    this.#trials.push(trial);
    this.#journals.set(topic, trial.journal as TimedJournal);
  }

  async #gather(topic: string): Promise<void> {
    const hall = topic.split(':')[1]!;
    for (let n = 0; n < 6; n++) {
      // The first two have two connections each.
      const userId = `guest-${n}-${hall}`;
      for (let each = 0; each < (n < 2 ? 2 : 1); each++)
        this.#guests.push(new Guest(userId, topic, this.nodes, this.#random(), this.infos));
    }
    for (let n = 0; n < 2; n++)
      this.#watchers.push(
        new PlainWatcher(`watcher-${n}-${hall}`, topic, this.nodes, this.#random(), this.log, this.infos),
      );
    this.#watchers.push(new SdkWatcher(`sdk-watcher-${hall}`, topic, await this.#door(), this.log, this.infos));
  }
}
