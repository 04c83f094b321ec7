import type { Address } from '../core/routing/address.js';
import type { DeliveryReport } from '../core/routing/delivery-report.js';
import type { MessageInput } from '../core/message/message-types.js';

/**
 * The options of one send.
 * @publicApi
 */
export interface SendOptions {
  /** `false`: do not wait for the delivery reports of other nodes. Default: the module's `report`. */
  readonly report?: boolean;
}

/** Sends a message to addresses, except to others. */
type Send = (
  to: readonly Address[],
  except: readonly Address[],
  message: MessageInput,
  options: SendOptions | undefined,
) => Promise<DeliveryReport>;

/**
 * A builder for the recipients of one send; see `RealtimeService.to()`.
 * @publicApi
 */
export class Recipients {
  /** @internal */
  constructor(
    private readonly addresses: readonly Address[],
    private readonly exceptions: readonly Address[],
    private readonly deliver: Send,
  ) {}

  /** Leaves out every connection that matches one of these addresses. */
  except(...addresses: Address[]): Recipients {
    return new Recipients(this.addresses, [...this.exceptions, ...addresses], this.deliver);
  }

  /** Sends the message. Without any address there are no recipients. */
  send<T extends string>(message: MessageInput<T>, options?: SendOptions): Promise<DeliveryReport> {
    return this.deliver(this.addresses, this.exceptions, message, options);
  }
}
