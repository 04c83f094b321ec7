import { describeMark } from '../decorators/handler-metadata.js';
import type { TopicGatewayOptions } from '../decorators/topic-gateway.decorator.js';
import { RealtimeConfigurationError } from '../errors/realtime-configuration.error.js';
import type { MarkedMethod } from './marked-class.js';

/** Stops the boot when a gateway has methods that would never be called, for want of presence. */
export function checkPresence(className: string, options: TopicGatewayOptions, methods: readonly MarkedMethod[]): void {
  const hook = methods.find(({ mark }) => mark.kind === 'join' || mark.kind === 'leave');
  if (hook && options.presence !== true) {
    throw new RealtimeConfigurationError(
      `${hook.name}: ${describeMark(hook.mark)} would never be called, for nobody knows who is in these topics; ` +
        `add { presence: true } to the @TopicGateway() of ${className}.`,
    );
  }
}
