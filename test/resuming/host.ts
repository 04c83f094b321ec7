import type { DeliveryReport, MessageInput, PublishOptions } from 'nestjs-realtime';

/** A node, to those who publish there and connect to it. */
export interface Host {
  readonly port: number;
  publish(topic: string, message: MessageInput, options?: PublishOptions): Promise<DeliveryReport>;
}

/** The publication that subscribers receive. */
export interface Saying {
  /** Tells it from all others. */
  readonly key: string;
}
