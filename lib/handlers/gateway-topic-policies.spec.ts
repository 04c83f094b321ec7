import { describe, expect, it } from 'vitest';
import type { TopicGatewayOptions } from '../decorators/topic-gateway.decorator.js';
import { GatewayTopicPolicies } from './gateway-topic-policies.js';
import { compilePattern } from './pattern.rules.js';
import { TopicHandlerRegistry } from './topic-handler.registry.js';

const HISTORY = { size: 10, ttlMs: 5_000 };
const ROOM: TopicGatewayOptions = { history: HISTORY, presence: true, clientAccess: false };

function policies(personalTopics?: typeof HISTORY): GatewayTopicPolicies {
  const topics = new TopicHandlerRegistry();
  const pattern = compilePattern('room:{id}', 'room:{id}');
  topics.fill([{ name: 'Rooms', pattern, options: ROOM, onMessage: new Map() }]);
  return new GatewayTopicPolicies(topics, personalTopics);
}

describe('the policy of a topic', () => {
  it('is what the gateway of the topic declares', () => {
    expect(policies().of('room:1')).toEqual(ROOM);
  });

  it('is the same object for every lookup', () => {
    const all = policies(HISTORY);
    expect([all.of('room:1') === all.of('room:2'), all.of('#user:a') === all.of('#user:b')]).toEqual([true, true]);
  });

  it('does not exist without a gateway', () => {
    expect(policies().of('elsewhere')).toBeUndefined();
  });

  it('is that of the module for the topic of a user’s own', () => {
    expect(policies(HISTORY).of('#user:ann')).toEqual({ history: HISTORY });
  });

  it('does not exist for the topic of a user’s own when users have none', () => {
    expect(policies().of('#user:ann')).toBeUndefined();
  });
});
