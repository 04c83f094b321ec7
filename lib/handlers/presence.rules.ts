import { describeMark } from '../decorators/handler-metadata.js';
import type { TopicGatewayOptions } from '../decorators/topic-gateway.decorator.js';
import { RealtimeConfigurationError } from '../errors/realtime-configuration.error.js';
import type { MarkedMethod } from './marked-class.js';

const SWITCHES = ['presence', 'clientAccess'] as const satisfies (keyof TopicGatewayOptions)[];

/** Makes the boot fail if a gateway's presence options are invalid, or if it has presence methods that would never be called. */
export function checkPresence(className: string, options: TopicGatewayOptions, methods: readonly MarkedMethod[]): void {
  for (const option of SWITCHES) {
    const value: unknown = options[option];
    if (value === undefined || typeof value === 'boolean') continue;
    throw new RealtimeConfigurationError(
      `${className}: the option "${option}" of @TopicGateway() must be true or false; got ${JSON.stringify(value)}.`,
    );
  }
  const hook = methods.find(({ mark: { kind } }) => kind === 'join' || kind === 'leave' || kind === 'update');
  if (hook && options.presence !== true) {
    throw new RealtimeConfigurationError(
      `${hook.name}: ${describeMark(hook.mark)} would never be called, because these topics have no presence; ` +
        `add { presence: true } to the @TopicGateway() of ${className}.`,
    );
  }
}
