import { Injectable } from '@nestjs/common';
import type { Rate } from '../../core/base/token-bucket.js';
import { AllowancePool } from '../../core/protocol/allowance-pool.js';
import { answerRateOf } from '../../core/protocol/answer-pace.js';
import { commandRateOf } from '../../core/protocol/command-allowance.js';
import { REFUSAL_RATE } from '../../core/protocol/refusal-rate.js';
import { ConnectionEvents } from '../../delivery/connection-events.js';
import { Membership } from '../../delivery/membership.js';
import { TopicPolicies } from '../../delivery/topic-policies.js';
import { Timestamps } from '../../delivery/timestamps.js';
import { NodeIdentity } from '../../delivery/node-identity.js';
import { NodeMeter } from '../../delivery/node-meter.js';
import { HandlerDispatcher } from '../../handlers/handler.dispatcher.js';
import { NeutralContext } from '../../handlers/neutral-context.js';
import { Clock } from '../../ports/clock.js';
import { HistoryStore } from '../../ports/history-store.js';
import { IdGenerator } from '../../ports/id-generator.js';
import { RealtimeTracing } from '../../ports/realtime-tracing.js';
import { PubSubManager } from '../../ports/pub-sub-manager.js';
import { RealtimeSettings } from '../../options/realtime.options.js';
import { AuthCommands } from '../auth/auth-commands.js';
import { TurnQueue } from '../turn-queue.js';
import { MailboxBudget } from './mailbox-budget.js';
import { JudgementRunner } from './judgement-runner.js';
import { TopicLimits } from './topic-limits.js';
import { TopicPresence } from './topic-presence.js';
import { TopicTokens } from '../auth/topic-tokens.js';

/** The collaborators of every session of this node, in one object that all sessions share. */
@Injectable()
export class SessionServices {
  /** The rate limits of the clients of this node. */
  readonly allowances: AllowancePool;
  /** The rate limit for the mistakes of one client. */
  readonly mistakeRate: Rate;
  /** The rate limit for the WebSocket pings of one client that is not served yet. */
  readonly pingRate: Rate;
  /** The limits that gateways declare. */
  readonly topicLimits: TopicLimits;
  readonly timestamps: Timestamps;
  /** The memory that the waiting commands of all clients may take. */
  readonly mailboxes: MailboxBudget;
  /** The frames that wait for a later turn of the event loop. */
  readonly turns = new TurnQueue();
  /** Judges the topics of clients again. */
  readonly judgements: JudgementRunner;

  constructor(
    readonly settings: RealtimeSettings,
    readonly authentication: AuthCommands,
    readonly topicTokens: TopicTokens,
    readonly dispatcher: HandlerDispatcher,
    readonly membership: Membership,
    readonly pubSub: PubSubManager,
    readonly policies: TopicPolicies,
    readonly history: HistoryStore,
    readonly events: ConnectionEvents,
    readonly clock: Clock,
    readonly ids: IdGenerator,
    readonly node: NodeIdentity,
    readonly presence: TopicPresence,
    readonly neutral: NeutralContext,
    readonly meter: NodeMeter,
    readonly tracing: RealtimeTracing,
  ) {
    this.timestamps = new Timestamps(clock);
    this.mailboxes = new MailboxBudget(settings.limits.totalMailboxBytes);
    this.judgements = new JudgementRunner(settings.limits.authTimeoutMs);
    const { commandsPerSecond, commandBurst, totalCommandsPerSecond, maxViolationsPerMinute } = settings.limits;
    const { maxMessageBytes, maxConnectionsPerUser } = settings.limits;
    this.pingRate = { perSecond: commandsPerSecond, burst: commandBurst };
    const total = { perSecond: totalCommandsPerSecond, burst: totalCommandsPerSecond };
    const answers = answerRateOf(settings.limits);
    const apart = { answers, pings: this.pingRate, refusals: REFUSAL_RATE };
    const rate = { ...commandRateOf(settings.limits), total, ...apart };
    this.allowances = new AllowancePool(rate, maxConnectionsPerUser, clock.now());
    this.topicLimits = new TopicLimits(policies, maxMessageBytes);
    this.mistakeRate = { perSecond: maxViolationsPerMinute / 60, burst: maxViolationsPerMinute };
  }
}
