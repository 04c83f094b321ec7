import { describe, expect, it } from 'vitest';
import { topicShape } from './topic-shape.js';

describe('The shape of a topic', () => {
  it.each([
    ['news', 'news'],
    ['order:42', 'order:*'],
    ['order:42:items', 'order:*:*'],
    ['order-42', 'order-*'],
    ['room12b7', 'room*b*'],
    ['', ''],
  ])('%j is %j', (topic, shape) => {
    expect(topicShape(topic)).toBe(shape);
  });
});
