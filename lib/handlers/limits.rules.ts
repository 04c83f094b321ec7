import { describeProblems } from '../core/base/problem.js';
import { explainGatewayLimits } from '../core/protocol/gateway-limits.js';
import { RealtimeConfigurationError } from '../errors/realtime-configuration.error.js';

/** Makes the boot fail if the limits of a gateway are invalid. */
export function checkLimits(className: string, limits: unknown): void {
  const problems = limits === undefined ? [] : explainGatewayLimits(limits);
  if (problems.length === 0) return;
  throw new RealtimeConfigurationError(
    `${className}: @TopicGateway() has a bad option: ${describeProblems(problems)}.`,
  );
}
