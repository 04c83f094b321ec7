import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CLOSE_CODES } from '../protocol/close-code.js';
import { personalTopic } from '../topic/reserved-topic.js';
import { all, topic, user } from '../routing/address.js';
import { actionLabel, addressLabel, closeCodeLabel, OTHER, statusLabel } from './label-values.js';

describe('the label of a close code', () => {
  it.each(Object.values(CLOSE_CODES))('is $code if this server chose it', ({ code }) => {
    expect(closeCodeLabel(code, true)).toBe(String(code));
  });

  it.each(Object.values(CLOSE_CODES))('is _other if a client invented $code', ({ code }) => {
    expect(closeCodeLabel(code, false)).toBe(OTHER);
  });

  it.each([1000, 1001, 1005, 1006, 1009])('is the standard code %i', (code) => {
    expect(closeCodeLabel(code, false)).toBe(String(code));
  });

  it('is one of few, whatever codes clients invent', () => {
    const labels = new Set(Array.from({ length: 65_536 }, (_, code) => closeCodeLabel(code, false)));
    expect(labels.size).toBeLessThan(20);
  });
});

it('statuses and actions that nobody declared are _other', () => {
  fc.assert(fc.property(fc.string(), (action) => actionLabel(`x${action}`) === OTHER));
  expect([actionLabel(undefined), actionLabel('constructor'), actionLabel('message')]).toEqual([
    OTHER,
    OTHER,
    'message',
  ]);
  expect([418, 299, 401, 101].map(statusLabel)).toEqual([OTHER, OTHER, '401', '101']);
});

it('an address is labelled by its kind, several as such, and a personal topic as its user', () => {
  const labels = [[user('ann')], [topic('feed')], [topic(personalTopic('ann'))], [all()], [all(), user('b')], []];
  expect(labels.map(addressLabel)).toEqual(['user', 'topic', 'user', 'all', 'several', 'several']);
});
