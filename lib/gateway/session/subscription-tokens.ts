import type { SubscribeCommand } from '../../core/protocol/command.js';
import { TopicGrants } from '../../core/topic/topic-grants.js';
import type { RealtimeSettings } from '../../options/realtime.options.js';
import type { TopicGrant, TopicTokens } from '../auth/topic-tokens.js';
import type { Client } from './client.js';
import type { Judged, JudgementRunner } from './judgement-runner.js';

interface Services {
  readonly settings: Pick<RealtimeSettings, 'clockToleranceS'>;
  readonly topicTokens: Pick<TopicTokens, 'judge'>;
  readonly judgements: Pick<JudgementRunner, 'judge' | 'drop' | 'forget'>;
}

type RevocationCheck = Extract<TopicGrant, { ok: true }>['isRevoked'];

/** The topic tokens of one client: their expiry and their revocation. */
export class SubscriptionTokens implements Judged<boolean> {
  /** Created with the first token. */
  #grants: TopicGrants | undefined;
  /** Asks whether the token of a topic was revoked. */
  #checks: Map<string, NonNullable<RevocationCheck>> | undefined;

  /** @param onRevoked called for each topic whose token was revoked */
  constructor(
    private readonly client: Client,
    private readonly services: Services,
    private readonly onRevoked: (topic: string) => void,
  ) {}

  /** @returns false if the token was refused and the client received the error, or if the client is gone */
  async take({ topic, id, token = '' }: SubscribeCommand): Promise<boolean> {
    const { connection, address } = this.client;
    const grant = await this.services.topicTokens.judge(token, topic, connection.userId, address);
    if (this.client.isClosed) return false;
    if (!grant.ok) {
      this.client.replies.fail(grant.error, id);
      return false;
    }
    this.delete(topic);
    (this.#grants ??= new TopicGrants()).set(topic, grant.expiresAt);
    if (grant.isRevoked) (this.#checks ??= new Map()).set(topic, grant.isRevoked);
    return true;
  }

  /** The expiry of the token for a topic; `undefined` if there is no token. */
  endOf(topic: string): Date | undefined {
    return this.#grants?.endOf(topic);
  }

  /** Forgets the token of a topic. */
  delete(topic: string): void {
    this.#grants?.delete(topic);
    if (this.#checks?.delete(topic)) this.services.judgements.drop(this, topic);
  }

  /** Forgets the tokens that have expired. @returns their topics */
  takeExpired(now: number): readonly string[] {
    const expired = this.#grants?.expired(now, this.services.settings.clockToleranceS) ?? [];
    for (const topic of expired) this.delete(topic);
    return expired;
  }

  /** Asks for each token whether it was revoked. While that cannot be told, a subscription stays. */
  revalidate(): void {
    if (this.#checks) this.services.judgements.judge(this, this.#checks.keys());
  }

  /** Forgets everything: the client has gone. */
  stop(): void {
    if (this.#checks) this.services.judgements.forget(this);
  }

  async ask(topic: string): Promise<boolean> {
    return (
      (await this.#checks
        ?.get(topic)?.()
        .catch(() => false)) ?? false
    );
  }

  decide(topic: string, isRevoked: boolean | undefined): void {
    if (isRevoked) this.onRevoked(topic);
  }
}
