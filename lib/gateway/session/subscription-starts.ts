import type { SubscribeCommand } from '../../core/protocol/command.js';
import type { Push } from '../../core/protocol/push.js';
import type { ConnectionEvents } from '../../delivery/connection-events.js';
import type { MessageFrames } from '../../delivery/message-frames.js';
import type { NodeMeter } from '../../delivery/node-meter.js';
import type { Membership } from '../../delivery/membership.js';
import type { TopicPolicies } from '../../delivery/topic-policies.js';
import type { TopicEntry } from '../../delivery/topic-entry.js';
import type { FramedPage, StreamEntry } from '../../delivery/topic-stream.js';
import type { SubscribeGrant } from '../../handlers/subscribe-decision.js';
import type { RealtimeSettings } from '../../options/realtime.options.js';
import type { PubSubManager } from '../../ports/pub-sub-manager.js';
import type { Client } from './client.js';
import { paceEntryOf, type WantedRates } from './pace-entry.js';
import type { PageTurns, TakePage } from './page-turns.js';
import { streamSettingsOf } from './stream-settings.js';
import { endedError, SubscriptionEnds, type EndWatch } from './subscription-ends.js';
import type { SubscriptionJudgements } from './subscription-judgements.js';
import type { TopicPresence } from './topic-presence.js';

interface Services {
  readonly settings: Pick<RealtimeSettings, 'limits'>;
  readonly membership: Pick<Membership, 'catchUp' | 'enter' | 'flush'>;
  readonly pubSub: Pick<PubSubManager, 'isSubscribed'>;
  readonly presence: Pick<TopicPresence, 'entered' | 'refusalOf'>;
  readonly events: Pick<ConnectionEvents, 'emit'>;
  readonly policies: TopicPolicies;
  readonly meter: Pick<NodeMeter, 'recovered' | 'resent'>;
}

/** The subscriptions that are started. */
interface StartedSubscriptions extends Pick<SubscriptionJudgements, 'keep' | 'decided'> {
  leave(topic: string): Promise<void> | undefined;
  /** Fulfils with whether the client is subscribed, once the topic is not under judgement. */
  isOpen(topic: string): Promise<boolean>;
  /** The expiry of the token for a topic, if there is one. */
  tokenEndOf(topic: string): Date | undefined;
}

type Confirmation = Extract<Push, { kind: 'subscribed' }>;

const UNREACHABLE = 'the topic cannot be reached';

/** Starts the subscriptions of one client that were decided, and confirms them. */
export class SubscriptionStarts {
  readonly ends = new SubscriptionEnds();

  constructor(
    private readonly client: Client,
    private readonly services: Services,
    private readonly subscriptions: StartedSubscriptions,
    private readonly pages: Pick<PageTurns, 'add'>,
  ) {}

  /**
   * Enters the topic, and confirms the subscription: to a command with an id, or unasked when there was no command.
   * @param rates those of the subscription, also from earlier commands
   */
  async enter(
    topic: string,
    command: SubscribeCommand | undefined,
    granted: SubscribeGrant = {},
    rates: WantedRates = {},
  ): Promise<void> {
    const { membership, events, pubSub, presence, policies, settings } = this.services;
    const { connection } = this.client;
    const isNew = !pubSub.isSubscribed(connection.id, topic);
    const stream = streamSettingsOf(topic, policies, settings.limits);
    const announce = () => {
      if (isNew) events.emit({ type: 'subscribed', connection, topic });
      presence.entered(topic, connection, granted.info, this.#watches(topic, command));
    };
    let isConfirmed = false;
    let isRefused = false;
    const begin = (start: FramedPage | undefined) => {
      isConfirmed = true;
      if (stream && !isNew) membership.flush(connection.id, topic);
      isRefused = this.#confirmStart(topic, command, granted, start);
      if (isRefused) return void this.subscriptions.leave(topic);
      // A stream is still delivering its start: listeners that publish to it have to wait.
      if (stream === undefined) announce();
    };
    let isHeld = false;
    const onStart = (start?: FramedPage) => {
      isHeld = this.subscriptions.keep(topic, () => begin(start), start?.length ?? 0);
      if (!isHeld) begin(start);
    };
    let isIn: boolean;
    const watch = this.ends.watch(topic);
    try {
      // What is held for a subscription comes before the position of a new start.
      if (stream && !isNew && this.subscriptions.decided(topic) && !(await this.subscriptions.isOpen(topic))) {
        if (!this.client.isClosed) this.#failEnded(watch, command);
        return;
      }
      const pace = paceEntryOf(topic, policies, settings.limits, rates);
      const entry: TopicEntry = {
        ...(pace && { pace }),
        ...(stream ? { stream, onStart, ...this.#catchingUp(topic, command) } : { stream, onStart }),
      };
      const entered = membership.enter(connection.id, topic, entry);
      isIn = typeof entered === 'boolean' ? entered : await entered;
      if (isHeld) await this.subscriptions.decided(topic);
    } catch {
      void this.subscriptions.leave(topic);
      const message = 'The topic cannot be reached at the moment; try again.';
      // The client had a subscription before this command, which has ended, too.
      if (!isNew) this.client.replies.push({ kind: 'unsubscribed', topic, reason: UNREACHABLE, code: 'UNAVAILABLE' });
      return this.client.replies.fail({ code: 'UNAVAILABLE', message, action: 'subscribe', topic }, command?.id);
    } finally {
      this.ends.unwatch(watch);
    }
    // An order that still waits may end the connection, which must not be announced then.
    membership.catchUp(connection.id);
    if (this.client.isClosed || isRefused) return;
    const isOver = !isIn || (isHeld && !isConfirmed) || (stream && !pubSub.isSubscribed(connection.id, topic));
    if (isOver) {
      // The subscription has ended meanwhile and the client was told so, even if another one has begun since.
      if (!isConfirmed) this.#failEnded(watch, command);
      return;
    }
    if (stream) announce();
  }

  /** The command still needs its answer. */
  #failEnded(watch: EndWatch, command: SubscribeCommand | undefined): void {
    if (command) this.client.replies.fail(endedError(watch), command.id);
  }

  /** The recovery of the client: its first position, and the way its pages are sent. */
  #catchingUp(
    topic: string,
    { recover, last = Infinity }: Partial<SubscribeCommand> = {},
  ): Omit<StreamEntry, 'onStart'> {
    return {
      wish: { recover, last },
      onPage: ({ frames }) => this.#send(topic, frames),
      whenReady: (takePage) => this.#whenReady(topic, takePage),
    };
  }

  /** While the topic is under judgement, the client may have lost its rights: pages wait for the decision. */
  #whenReady(topic: string, takePage: TakePage): void {
    this.pages.add(() => {
      const decided = this.subscriptions.decided(topic);
      if (decided === undefined) return takePage();
      void decided.then(() => this.#whenReady(topic, takePage));
      return undefined;
    });
  }

  /** Returns whether join and leave events are to be sent; undefined to leave that as it is. */
  #watches(topic: string, { presence }: Partial<SubscribeCommand> = {}): boolean | undefined {
    return presence === 'if-kept' ? this.services.presence.refusalOf(topic) === undefined : presence;
  }

  /**
   * Confirms where the topic begins for this client, and sends the publications that it has missed.
   * @returns true if some cannot be recovered and the client wants no subscription then
   */
  #confirmStart(
    topic: string,
    command: SubscribeCommand | undefined,
    { data }: SubscribeGrant,
    start: FramedPage | undefined,
  ): boolean {
    const { meter } = this.services;
    if (start === undefined) {
      // The topic keeps no history, so nothing can be recovered.
      const recovered = command?.recover ? false : undefined;
      meter.recovered(recovered);
      this.confirm(topic, command, { ...(recovered !== undefined && { recovered }), data });
      return false;
    }
    const { frames, position, recovered, publications } = start;
    const place = { position, ...(recovered !== undefined && { recovered }) };
    meter.recovered(recovered);
    const isRefused = command?.rejectsLoss === true && place.recovered === false;
    // Without an id there is no answer, and SDKs ignore publications in the push that announces a subscription.
    const hasAnswer = command?.id !== undefined;
    const isInAnswer = recovered === true && hasAnswer && this.client.replies.answersWithPublications;
    if (isRefused) this.confirm(topic, command, { ...place, isRefused });
    else this.confirm(topic, command, { ...place, data, ...(isInAnswer && { publications }) });
    if (isRefused) return true;
    if (!isInAnswer) this.client.replies.sendAll(frames);
    this.#count(topic, frames);
    return false;
  }

  #send(topic: string, frames: readonly MessageFrames[]): void {
    this.client.replies.sendAll(frames);
    this.#count(topic, frames);
  }

  #count(topic: string, frames: readonly MessageFrames[]): void {
    if (frames.length > 0) this.services.meter.resent(topic, frames.length);
  }

  /** Confirms a subscription: to a command with an id or a position, or unasked when there was no command. */
  confirm(
    topic: string,
    command: SubscribeCommand | undefined,
    { data, ...stream }: Pick<Confirmation, 'position' | 'recovered' | 'publications' | 'isRefused' | 'data'> = {},
  ): void {
    if (command && command.id === undefined && !command.recover) return;
    const { id } = command ?? {};
    const expiresAt = this.subscriptions.tokenEndOf(topic);
    // The data may be much larger than the command.
    this.client.replies.pushCounted({
      kind: 'subscribed',
      ...(id !== undefined && { id }),
      topic,
      ...stream,
      ...(data !== undefined && { data }),
      ...(expiresAt && { expiresAt }),
    });
  }
}
