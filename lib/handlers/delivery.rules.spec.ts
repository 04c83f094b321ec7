import { describe, expect, it } from 'vitest';
import { RealtimeConfigurationError } from '../errors/realtime-configuration.error.js';
import { checkDelivery } from './delivery.rules.js';

describe('the delivery of a gateway', () => {
  it.each([[{}], [{ delivery: { slow: 'latest' as const, maxRateHz: 20 } }]])('may be %j', (options) => {
    expect(checkDelivery('MapTopic', options)).toBeUndefined();
  });

  it('stops the boot if it cannot work, and names the class and the cure', () => {
    const check = () => checkDelivery('MapTopic', { delivery: { slow: 'latest', maxRateHz: 0 } });
    expect(check).toThrow(RealtimeConfigurationError);
    expect(check).toThrow(
      'MapTopic: @TopicGateway() has a bad option: delivery.maxRateHz must be a number of updates per second from 0.1 to 1000.',
    );
  });

  it('stops the boot if it does not go with the history', () => {
    const check = () =>
      checkDelivery('MapTopic', { delivery: { slow: 'latest' }, history: { size: 10, ttlMs: 60_000 } });
    expect(check).toThrow("delivery.slow 'latest' goes only with a history that has sendLast: 1");
  });
});
