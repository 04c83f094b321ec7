import type { Centrifuge, ClientInfo, Subscription } from 'centrifuge';
import { testToken, type ReceivedFrame } from 'nestjs-realtime/testing';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { SeededRandom } from '../../faults/load/seeded-random.js';
import { Line } from '../../helpers/line.js';
import { sdkFor } from '../../helpers/sdk.js';
import type { News, Picture } from '../checker/record.js';
import type { Balancer } from './balancer.js';
import type { Infos } from './infos.js';
import type { Nodes } from './nodes.js';
import type { RunLog } from './run-log.js';

const PATIENCE_MS = 2_000;

type Change = 'joined' | 'left' | 'updated';

/** Somebody who keeps a picture of who is in a topic. */
export interface Watching {
  readonly name: string;
  readonly topic: string;
  readonly news: readonly News[];
  /** Missing while it does not know. */
  readonly picture: Picture | undefined;
  cut(): void;
  /** It gives no other info of itself from now on. */
  settle(): void;
  stop(): Promise<void>;
}

/** A user in an answer about presence. */
export interface Member {
  readonly userId: string;
  /** All infos of a run are texts. */
  readonly info?: string;
}

/** What an answer about presence says. */
export function pictureOf(seenBy: string, topic: string, users: Iterable<Member>): Picture {
  const all = [...users].sort((a, b) => (a.userId < b.userId ? -1 : 1));
  const infos = all.flatMap(({ userId, info }) => (info === undefined ? [] : [[userId, info] as const]));
  return { seenBy, topic, users: all.map(({ userId }) => userId), infos: Object.fromEntries(infos) };
}

/** The picture of one subscription: an answer, and the news since it was asked for. */
class RunningPicture {
  readonly news: News[] = [];
  #visit = 0;
  #users: Map<string, Member> | undefined;
  #sinceAsked: (readonly [kind: Change, member: Member])[] = [];

  constructor(
    private readonly name: string,
    private readonly topic: string,
    private readonly log: RunLog,
  ) {}

  get seen(): Picture | undefined {
    return this.#users && pictureOf(this.name, this.topic, this.#users.values());
  }

  /** True if the user is in the topic by what was heard so far. */
  has(userId: string): boolean {
    const last = this.#sinceAsked.findLast(([, member]) => member.userId === userId);
    return this.#users ? this.#users.has(userId) : last !== undefined && last[0] !== 'left';
  }

  /** A subscription begins, or ends. */
  begin(): void {
    this.#visit += 1;
    this.forget();
  }

  forget(): void {
    this.#users = undefined;
    this.#sinceAsked = [];
  }

  reset(): void {
    this.news.push({ visit: `${this.name} ${this.#visit}`, kind: 'reset', at: this.log.now() });
    this.forget();
  }

  hear(kind: Change, member: Member): void {
    const { userId, info } = member;
    const shown = info === undefined ? {} : { info };
    this.news.push({ visit: `${this.name} ${this.#visit}`, kind, userId, ...shown, at: this.log.now() });
    this.#sinceAsked.push([kind, member]);
    if (this.#users) this.#apply([[kind, member]]);
  }

  /** An answer has arrived: what is told after it may repeat what was told before. */
  recount(): void {
    this.#visit += 1;
  }

  /** What an answer says. News may repeat it. */
  answered(users: readonly Member[]): void {
    this.#users = new Map(users.map((member) => [member.userId, member]));
    this.#apply(this.#sinceAsked);
  }

  #apply(changes: readonly (readonly [kind: Change, member: Member])[]): void {
    for (const [kind, member] of changes) {
      if (kind === 'left') this.#users!.delete(member.userId);
      else this.#users!.set(member.userId, member);
    }
  }
}

/** Watches over the plain protocol, and comes back when it is sent away. */
export class PlainWatcher implements Watching {
  readonly #picture: RunningPicture;
  #line: Line | undefined;
  #isSettled = false;
  #isOver = false;
  readonly #travelling: Promise<void>;

  constructor(
    readonly name: string,
    readonly topic: string,
    private readonly nodes: Nodes,
    private readonly random: SeededRandom,
    log: RunLog,
    private readonly infos: Infos,
  ) {
    this.#picture = new RunningPicture(name, topic, log);
    this.#travelling = this.#travel();
  }

  get news(): readonly News[] {
    return this.#picture.news;
  }

  get picture(): Picture | undefined {
    return this.#picture.seen;
  }

  cut(): void {
    this.#line?.cut();
  }

  settle(): void {
    this.#isSettled = true;
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    this.#line?.close();
    await this.#travelling;
  }

  async #travel(): Promise<void> {
    while (!this.#isOver) {
      const line = (this.#line = await Line.open(this.random.pick(this.nodes.all).port, this.name, PATIENCE_MS));
      if (line) await this.#visit(line);
      await delay(this.random.below(100));
    }
  }

  async #visit(line: Line): Promise<void> {
    this.#picture.begin();
    line.onFrame = (frame) => this.#hear(line, frame);
    line.onAnswer = ({ type, payload }) => {
      if (type !== 'realtime:presence') return;
      this.#picture.recount();
      this.#picture.answered(payload.users);
    };
    const connection = this.infos.connection();
    const isIn = await this.#enter(line, connection);
    if (!isIn || this.#isOver) line.close();
    else await Promise.all([this.#ask(line), this.#change(line, connection)]);
    await line.closed;
    this.infos.gone(connection);
    this.#picture.forget();
  }

  async #enter(line: Line, connection: number): Promise<boolean> {
    const given = this.infos.ask(this.topic, this.name, connection);
    const answer = await line.ask({ action: 'subscribe', topic: this.topic, payload: given.info, presence: true });
    const isIn = typeof answer === 'object' && answer.type === 'realtime:subscribed';
    if (isIn) this.infos.taken(given);
    return isIn;
  }

  /** Subscribes again with another info now and then. */
  async #change(line: Line, connection: number): Promise<void> {
    for (;;) {
      await Promise.race([line.closed, delay(2_000 + this.random.below(8_000))]);
      if (!line.isOpen || this.#isSettled) return;
      await this.#enter(line, connection);
    }
  }

  #hear(line: Line, { type, payload }: ReceivedFrame): void {
    if (type === 'realtime:joined') this.#picture.hear('joined', payload);
    else if (type === 'realtime:left') this.#picture.hear('left', payload);
    else if (type === 'realtime:updated') this.#picture.hear('updated', payload);
    else if (type === 'realtime:presence-reset') {
      this.#picture.reset();
      void this.#ask(line);
    } else if (type === 'realtime:unsubscribed') line.close();
  }

  async #ask(line: Line): Promise<void> {
    while (line.isOpen && !this.picture) {
      await line.ask({ action: 'presence', topic: this.topic });
      if (!this.picture) await delay(200);
    }
  }
}

/** Watches with the SDK. */
export class SdkWatcher implements Watching {
  readonly #picture: RunningPicture;
  readonly #client: Centrifuge;
  #connection: number | undefined;

  constructor(
    readonly name: string,
    readonly topic: string,
    private readonly door: Balancer,
    log: RunLog,
    private readonly infos: Infos,
  ) {
    this.#picture = new RunningPicture(name, topic, log);
    const picture = this.#picture;
    // The SDK gives an answer later than news that arrive just after it.
    const Socket = class extends WebSocket {
      constructor(...args: ConstructorParameters<typeof WebSocket>) {
        super(...args);
        this.on('message', (data: Buffer) => data.includes('"presence":{') && picture.recount());
      }
    };
    const options = { token: testToken(name), websocket: Socket };
    this.#client = sdkFor({ url: `http://127.0.0.1:${door.port}` }, options, () => undefined);
    let given: ReturnType<Infos['ask']> | undefined;
    const getData = async () => {
      this.#end();
      given = infos.ask(topic, name, (this.#connection = infos.connection()));
      return given.info;
    };
    const subscription = this.#client.newSubscription(topic, { joinLeave: true, getData });
    // The SDK knows no other event for a changed info.
    subscription.on('join', ({ info }) =>
      this.#picture.hear(this.#picture.has(info.user) ? 'updated' : 'joined', memberOf(info)),
    );
    subscription.on('leave', ({ info }) => this.#picture.hear('left', memberOf(info)));
    subscription.on('subscribing', () => {
      this.#end();
      this.#picture.begin();
    });
    subscription.on('subscribed', () => {
      if (given) infos.taken(given);
      void this.#ask(subscription);
    });
    subscription.subscribe();
    this.#client.connect();
  }

  get news(): readonly News[] {
    return this.#picture.news;
  }

  get picture(): Picture | undefined {
    return this.#picture.seen;
  }

  cut(): void {
    this.door.cut();
  }

  settle(): void {}

  #end(): void {
    if (this.#connection !== undefined) this.infos.gone(this.#connection);
  }

  async stop(): Promise<void> {
    this.#client.disconnect();
  }

  async #ask(subscription: Subscription): Promise<void> {
    this.#picture.forget();
    const isSubscribed = () => (subscription.state as string) === 'subscribed';
    while (isSubscribed() && !this.picture) {
      const found = await subscription.presence().catch(() => undefined);
      if (found) this.#picture.answered(Object.values(found.clients).map(memberOf));
      else await delay(200);
    }
  }
}

function memberOf({ user, connInfo }: ClientInfo): Member {
  return { userId: user, info: connInfo };
}
