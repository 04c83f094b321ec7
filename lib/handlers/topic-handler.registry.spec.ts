import { describe, expect, it } from 'vitest';
import { compilePattern } from './pattern.rules.js';
import { TopicHandlerRegistry, type TopicHandlers } from './topic-handler.registry.js';

function registryOf(...patterns: string[]): TopicHandlerRegistry {
  const registry = new TopicHandlerRegistry();
  registry.fill(
    patterns.map((source): TopicHandlers => {
      return { name: source, pattern: compilePattern(source, source), options: {}, onMessage: new Map() };
    }),
  );
  return registry;
}

describe('the registry of topic handlers', () => {
  it('finds the gateway whose pattern matches, with the parameters', () => {
    const match = registryOf('order:{id}', 'chat:{room}').find('chat:lobby');

    expect([match?.gateway.name, match?.params]).toEqual(['chat:{room}', { room: 'lobby' }]);
  });

  it.each(['chat', 'chat:', 'chat:a:b', 'other:a', ''])('finds nothing for %o when no pattern matches', (topic) => {
    expect(registryOf('chat:{room}').find(topic)).toBeUndefined();
  });

  it.each([
    ['chat:lobby', 'chat:lobby'],
    ['chat:l-1', 'chat:l-{n}'],
    ['chat:other', 'chat:{room}'],
    ['news:other', '{kind}:{name}'],
    ['chat:other:x', '{kind}:{name}:x'],
    ['news', 'news'],
    ['anything', '{single}'],
  ])('finds for %s, of all patterns that match, the one with the most literal characters', (topic, pattern) => {
    const patterns = [
      '{single}',
      '{kind}:{name}',
      'chat:{room}',
      'chat:l-{n}',
      'chat:lobby',
      '{kind}:{name}:x',
      'news',
    ];

    expect(registryOf(...patterns).find(topic)?.gateway.name).toBe(pattern);
  });

  it('prefers a pattern that begins with a parameter when it has more literal characters', () => {
    expect(registryOf('a:{rest}', '{any}:settings').find('a:settings')?.gateway.name).toBe('{any}:settings');
  });

  it('finds each of very many topics, again and again', () => {
    const registry = registryOf('chat:{room}');
    const rooms = Array.from({ length: 2_500 }, (_, i) => `room-${i}`);
    const found = [...rooms, ...rooms].map((room) => registry.find(`chat:${room}`)?.params['room']);

    expect(found).toEqual([...rooms, ...rooms]);
  });

  it('forgets what it was filled with before', () => {
    const registry = registryOf('chat:{room}');
    registry.find('chat:lobby');
    registry.fill([]);

    expect(registry.find('chat:lobby')).toBeUndefined();
  });
});
