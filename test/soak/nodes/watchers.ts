import type { Centrifuge, Subscription } from 'centrifuge';
import { testToken, type ReceivedFrame } from 'nestjs-realtime/testing';
import { setTimeout as delay } from 'node:timers/promises';
import type { SeededRandom } from '../../faults/load/seeded-random.js';
import { Line } from '../../helpers/line.js';
import { sdkFor } from '../../helpers/sdk.js';
import type { News } from '../checker/record.js';
import type { Balancer } from './balancer.js';
import type { Nodes } from './nodes.js';
import type { RunLog } from './run-log.js';

const PATIENCE_MS = 2_000;

/** Somebody who keeps a picture of who is in a topic. */
export interface Watching {
  readonly name: string;
  readonly topic: string;
  readonly news: readonly News[];
  /** Missing while it does not know. */
  readonly picture: readonly string[] | undefined;
  cut(): void;
  stop(): Promise<void>;
}

/** The picture of one subscription: an answer, and the news since it was asked for. */
class Picture {
  readonly news: News[] = [];
  #visit = 0;
  #users: Set<string> | undefined;
  #sinceAsked: (readonly [kind: 'joined' | 'left', userId: string])[] = [];

  constructor(
    private readonly name: string,
    private readonly log: RunLog,
  ) {}

  get users(): readonly string[] | undefined {
    return this.#users && [...this.#users].sort();
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

  hear(kind: 'joined' | 'left', userId: string): void {
    this.news.push({ visit: `${this.name} ${this.#visit}`, kind, userId, at: this.log.now() });
    this.#sinceAsked.push([kind, userId]);
    if (this.#users) this.#apply([[kind, userId]]);
  }

  /** An answer may repeat news that were told before, and news may repeat what the answer says. */
  answered(users: readonly string[]): void {
    this.#visit += 1;
    this.#users = new Set(users);
    this.#apply(this.#sinceAsked);
  }

  #apply(changes: readonly (readonly [kind: 'joined' | 'left', userId: string])[]): void {
    for (const [kind, userId] of changes) {
      if (kind === 'joined') this.#users!.add(userId);
      else this.#users!.delete(userId);
    }
  }
}

/** Watches over the plain protocol, and comes back when it is sent away. */
export class PlainWatcher implements Watching {
  readonly #picture: Picture;
  #line: Line | undefined;
  #isOver = false;
  readonly #travelling: Promise<void>;

  constructor(
    readonly name: string,
    readonly topic: string,
    private readonly nodes: Nodes,
    private readonly random: SeededRandom,
    log: RunLog,
  ) {
    this.#picture = new Picture(name, log);
    this.#travelling = this.#travel();
  }

  get news(): readonly News[] {
    return this.#picture.news;
  }

  get picture(): readonly string[] | undefined {
    return this.#picture.users;
  }

  cut(): void {
    this.#line?.cut();
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
      if (type === 'realtime:presence')
        this.#picture.answered(payload.users.map((user: { userId: string }) => user.userId));
    };
    const answer = await line.ask({ action: 'subscribe', topic: this.topic, presence: true });
    if (typeof answer !== 'object' || answer.type !== 'realtime:subscribed' || this.#isOver) line.close();
    else await this.#ask(line);
    await line.closed;
    this.#picture.forget();
  }

  #hear(line: Line, { type, payload }: ReceivedFrame): void {
    if (type === 'realtime:joined') this.#picture.hear('joined', payload.userId);
    else if (type === 'realtime:left') this.#picture.hear('left', payload.userId);
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
  readonly #picture: Picture;
  readonly #client: Centrifuge;

  constructor(
    readonly name: string,
    readonly topic: string,
    private readonly door: Balancer,
    log: RunLog,
  ) {
    this.#picture = new Picture(name, log);
    this.#client = sdkFor({ url: `http://127.0.0.1:${door.port}` }, { token: testToken(name) }, () => undefined);
    const subscription = this.#client.newSubscription(topic, { joinLeave: true });
    subscription.on('join', ({ info }) => this.#picture.hear('joined', info.user));
    subscription.on('leave', ({ info }) => this.#picture.hear('left', info.user));
    subscription.on('subscribing', () => this.#picture.begin());
    subscription.on('subscribed', () => void this.#ask(subscription));
    subscription.subscribe();
    this.#client.connect();
  }

  get news(): readonly News[] {
    return this.#picture.news;
  }

  get picture(): readonly string[] | undefined {
    return this.#picture.users;
  }

  cut(): void {
    this.door.cut();
  }

  async stop(): Promise<void> {
    this.#client.disconnect();
  }

  async #ask(subscription: Subscription): Promise<void> {
    this.#picture.forget();
    const isSubscribed = () => (subscription.state as string) === 'subscribed';
    while (isSubscribed() && !this.picture) {
      const found = await subscription.presence().catch(() => undefined);
      if (found) this.#picture.answered(Object.values(found.clients).map(({ user }) => user));
      else await delay(200);
    }
  }
}
