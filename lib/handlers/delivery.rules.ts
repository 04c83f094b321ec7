import { describeProblems } from '../core/base/problem.js';
import { explainDelivery } from '../core/pace/delivery-options.js';
import type { TopicGatewayOptions } from '../decorators/topic-gateway.decorator.js';
import { RealtimeConfigurationError } from '../errors/realtime-configuration.error.js';

/** Makes the boot fail if the delivery of a gateway is invalid, or does not go with its history. */
export function checkDelivery(className: string, { delivery, history }: TopicGatewayOptions): void {
  const problems = delivery === undefined ? [] : explainDelivery(delivery, history);
  if (problems.length === 0) return;
  throw new RealtimeConfigurationError(
    `${className}: @TopicGateway() has a bad option: ${describeProblems(problems)}.`,
  );
}
