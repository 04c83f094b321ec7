import type { Decoded } from '../../core/protocol/decoded.js';
import { largestMessage, sizeLimitOf, type GatewayLimits } from '../../core/protocol/gateway-limits.js';
import { MAX_TOPIC_LENGTH } from '../../core/topic/topic.js';
import type { FramePayload } from '../../ports/frame.js';
import type { TopicPolicies } from '../../delivery/topic-policies.js';

/** Looks up the limits that a gateway declares for its messages. Costs nothing where no gateway declares any. */
export class TopicLimits {
  constructor(
    private readonly policies: Pick<TopicPolicies, 'of' | 'limits'>,
    private readonly maxMessageBytes: number,
  ) {}

  /** The size of the largest message that any gateway takes, in bytes. Known once the gateways are. */
  get largestMessage(): number {
    return largestMessage(this.policies.limits ?? [], this.maxMessageBytes);
  }

  /** Returns the limits of the gateway that a message is for, if it has any. */
  of(decoded: Decoded): GatewayLimits | undefined {
    if (!decoded.ok || decoded.command.action !== 'message' || !this.#areDeclared) return undefined;
    const { topic } = decoded.command;
    // No such topic is served, and a lookup may keep the name.
    return topic.length > MAX_TOPIC_LENGTH ? undefined : this.policies.of(topic)?.limits;
  }

  /**
   * Returns the size limit of a command that exceeds it, in bytes; nothing for all others.
   * @param frame the frame of the command
   */
  exceeded(decoded: Decoded, limits: GatewayLimits | undefined, frame: FramePayload = ''): number | undefined {
    if (!decoded.ok || !this.#areDeclared) return undefined;
    const limit = sizeLimitOf(decoded, limits, this.maxMessageBytes);
    return (decoded.bytes ?? Buffer.byteLength(frame)) > limit ? limit : undefined;
  }

  get #areDeclared(): boolean {
    return this.policies.limits !== undefined && this.policies.limits.length > 0;
  }
}
