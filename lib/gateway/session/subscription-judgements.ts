import type { Membership } from '../../delivery/membership.js';
import { TopicHold, type HoldBudget } from '../../delivery/held-topics.js';
import type { SubscribeDecision } from '../../handlers/subscribe-decision.js';
import type { RealtimeSettings } from '../../options/realtime.options.js';
import type { WireError } from '../../core/protocol/error-code.js';
import type { Client } from './client.js';
import { endFailed } from './connection-failure.js';
import type { Judged, JudgementRunner } from './judgement-runner.js';

interface Services {
  readonly settings: Pick<RealtimeSettings, 'limits'>;
  readonly membership: Pick<Membership, 'hold' | 'endHold'>;
  readonly judgements: Pick<JudgementRunner, 'judge' | 'drop' | 'forget'>;
}

/** The subscriptions that are judged again. */
export interface JudgedSubscriptions {
  /** Asks the application. Never rejects. */
  ask(topic: string): Promise<SubscribeDecision>;
  /** The subscription stays, with the info about the subscriber. Called before the held deliveries are made. */
  stay(topic: string, info: unknown): void;
  /** Ends the subscription and tells the client why. */
  takeOff(topic: string, error: Pick<WireError, 'code' | 'message'>): void;
}

/** A topic that is under judgement. */
interface Open {
  readonly hold: TopicHold;
  /** Made when somebody waits. */
  decided?: Decided;
}

/** Fulfils when the topic is decided, or its subscription has ended. */
interface Decided {
  readonly promise: Promise<void>;
  readonly settle: () => void;
}

/** The share of the send queue that held deliveries may fill, since all of them are written at once. */
const HOLD_SHARE = 0.5;

/**
 * Judges the subscriptions of one client again after its rights have changed. Until a topic is decided, its deliveries are
 * held; then they are made, or dropped together with the subscription. A subscription ends in a way that lets the client resume
 * it if it is not decided in time, or if more arrives than can be held.
 */
export class SubscriptionJudgements implements Judged<SubscribeDecision> {
  readonly #open = new Map<string, Open>();
  readonly #budget: HoldBudget;
  #changes = 0;

  constructor(
    private readonly client: Client,
    private readonly services: Services,
    private readonly subscriptions: JudgedSubscriptions,
  ) {
    this.#budget = { used: 0, maxBytes: services.settings.limits.sendQueueBytes * HOLD_SHARE };
  }

  /** Counts the changes of rights: a decision that was made before the latest one is void. */
  get changes(): number {
    return this.#changes;
  }

  /** Holds the deliveries of these topics from now on, and has the topics judged by the present rights. */
  begin(topics: Iterable<string>): void {
    this.#changes += 1;
    const judged = [...topics];
    for (const topic of judged) if (!this.#open.has(topic)) this.#hold(topic);
    this.services.judgements.judge(this, judged);
  }

  /** Returns a promise that fulfils when the topic is no longer under judgement; nothing if it is not. */
  decided(topic: string): Promise<void> | undefined {
    const open = this.#open.get(topic);
    return open && (open.decided ??= undecided()).promise;
  }

  /**
   * Keeps something for the client until the topic is decided.
   * @returns false if the topic is not under judgement, so that nothing is kept
   */
  keep(topic: string, deliver: () => void, bytes: number): boolean {
    const open = this.#open.get(topic);
    open?.hold.keep(deliver, bytes);
    return open !== undefined;
  }

  /** Forgets a topic whose subscription has ended, and drops its held deliveries. */
  drop(topic: string): void {
    const open = this.#end(topic);
    if (open === undefined) return;
    this.services.judgements.drop(this, topic);
    open.hold.drop();
    open.decided?.settle();
  }

  /** Forgets everything: the client has gone. */
  stop(): void {
    for (const topic of this.#open.keys()) this.drop(topic);
    this.services.judgements.forget(this);
  }

  ask(topic: string): Promise<SubscribeDecision> {
    return this.subscriptions.ask(topic);
  }

  decide(topic: string, decision: SubscribeDecision | undefined): void {
    try {
      if (decision?.allowed) this.#stay(topic, decision.info);
      else if (this.#open.has(topic)) this.subscriptions.takeOff(topic, decision?.error ?? UNDECIDED);
    } catch (error) {
      endFailed(this.client, error);
    }
  }

  #stay(topic: string, info: unknown): void {
    const open = this.#end(topic);
    if (open === undefined) return;
    this.subscriptions.stay(topic, info);
    open.hold.giveOut();
    open.decided?.settle();
  }

  #hold(topic: string): void {
    const hold = new TopicHold(this.#budget, () => {
      if (this.#open.get(topic)?.hold === hold) this.decide(topic, { allowed: false, error: TOO_MUCH });
    });
    this.#open.set(topic, { hold });
    this.services.membership.hold(this.client.connection.id, topic, hold);
  }

  #end(topic: string): Open | undefined {
    const open = this.#open.get(topic);
    if (open === undefined) return undefined;
    this.#open.delete(topic);
    this.services.membership.endHold(this.client.connection.id, topic);
    return open;
  }
}

function undecided(): Decided {
  let settle!: () => void;
  const promise = new Promise<void>((resolve) => (settle = resolve));
  return { promise, settle };
}

const UNDECIDED: WireError = {
  code: 'UNAVAILABLE',
  message: 'it could not be decided in time whether the topic is still open; subscribe again',
};
const TOO_MUCH: WireError = {
  code: 'UNAVAILABLE',
  message: 'more has arrived than can be held while the topic is judged again; subscribe again',
};
