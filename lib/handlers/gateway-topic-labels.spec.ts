import { expect, it } from 'vitest';
import { compileTopicPattern } from '../core/topic/topic-pattern.js';
import { GatewayTopicLabels } from './gateway-topic-labels.js';
import { Handler } from './handler.js';
import { TopicHandlerRegistry } from './topic-handler.registry.js';

it('only patterns and types that a gateway declares are labels', () => {
  const registry = new TopicHandlerRegistry();
  const compiled = compileTopicPattern('chat:{room}');
  if (!compiled.ok) throw new Error(compiled.problem);
  const handler = new Handler('Chat.say', () => Promise.reject(new Error('not called')));
  const onMessage = new Map([['say', { handler, requireSubscription: true }]]);
  registry.fill([{ name: 'Chat', pattern: compiled.pattern, options: {}, onMessage }]);
  const labels = new GatewayTopicLabels(registry);
  expect([labels.patternOf('chat:1'), labels.patternOf('nope'), labels.patternOf('#user:ann')]).toEqual([
    'chat:{room}',
    undefined,
    undefined,
  ]);
  expect([labels.takes('chat:1', 'say'), labels.takes('chat:1', 'x'), labels.takes('nope', 'say')]).toEqual([
    true,
    false,
    false,
  ]);
});
