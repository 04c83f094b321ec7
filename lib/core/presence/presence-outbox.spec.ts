import { describe, expect, it } from 'vitest';
import { PresenceOutbox } from './presence-outbox.js';

const TOPIC = 'chat:1';
const ann = { userId: 'ann', connections: 1 };

/** Says all that is to be said. */
function say(held: PresenceOutbox): unknown[] {
  const said = held.take(Infinity).map(({ userId, member, manner }) => [userId, member?.connections, manner]);
  held.heard();
  return said;
}

describe('presence updates', () => {
  it('say of each user only the newest, in the order in which they changed', () => {
    const held = new PresenceOutbox();
    held.set(TOPIC, ann);
    held.set(TOPIC, { userId: 'bob', connections: 1 });
    held.set(TOPIC, { ...ann, connections: 2 });
    expect(say(held)).toEqual([
      ['ann', 2, 'aloud'],
      ['bob', 1, 'aloud'],
    ]);
    expect(say(held)).toEqual([]);
  });

  it('say nothing of who came and went unsaid', () => {
    const held = new PresenceOutbox();
    held.set(TOPIC, ann);
    held.remove(TOPIC, 'ann');
    expect(held.unsaidCount).toBe(0);
    expect(say(held)).toEqual([]);
  });

  it('say in lots, and the same lot again until it has arrived', () => {
    const held = new PresenceOutbox();
    for (const userId of ['a', 'b', 'c']) held.set(TOPIC, { userId, connections: 1 });
    const lot = held.take(2);
    held.set(TOPIC, { userId: 'a', connections: 2 });
    expect(held.take(2)).toEqual(lot);
    held.heard();
    expect(say(held)).toEqual([
      ['c', 1, 'aloud'],
      ['a', 2, 'aloud'],
    ]);
  });

  it('say that somebody is gone who went while it was being said', () => {
    const held = new PresenceOutbox();
    held.set(TOPIC, ann);
    held.take(1);
    held.remove(TOPIC, 'ann');
    held.heard();
    expect(say(held)).toEqual([['ann', undefined, 'aloud']]);
    expect(held.unsaidCount).toBe(0);
  });

  it('say all anew when the node was taken for dead, and nothing of those who are gone', () => {
    const held = new PresenceOutbox();
    held.set(TOPIC, ann);
    held.set(TOPIC, { userId: 'bob', connections: 1 });
    say(held);
    held.remove(TOPIC, 'bob');
    held.forgotten();
    expect(say(held)).toEqual([['ann', 1, 'aloud']]);
  });

  it('say silently what was known when all was lost, and aloud what was not', () => {
    const held = new PresenceOutbox();
    held.set(TOPIC, ann);
    say(held);
    held.set(TOPIC, { userId: 'bob', connections: 1 });
    held.lost();
    expect(say(held)).toEqual([
      ['bob', 1, 'aloud'],
      ['ann', 1, 'silently'],
    ]);
  });

  it('are restored when all who were known before a loss were said again, whoever else came since', () => {
    const held = new PresenceOutbox();
    held.set(TOPIC, ann);
    held.set(TOPIC, { userId: 'bob', connections: 1 });
    say(held);
    expect(held.isRestored).toBe(true);
    held.lost();
    held.take(1);
    held.heard();
    held.set(TOPIC, { userId: 'cem', connections: 1 });
    expect(held.isRestored).toBe(false);
    held.take(1);
    held.heard();
    expect(held.isRestored).toBe(true);
    expect(say(held)).toEqual([['cem', 1, 'aloud']]);
  });

  it('are restored when the node was taken for dead after they were said: those who were known have left', () => {
    const held = new PresenceOutbox();
    held.set(TOPIC, ann);
    say(held);
    held.lost();
    held.forgotten();
    expect(held.isRestored).toBe(false);
    say(held);
    held.forgotten();
    expect(held.isRestored).toBe(true);
  });

  it('say with each user what is shown, and since when', () => {
    const held = new PresenceOutbox();
    const infos = () => held.take(1).map(({ member, since }) => [member?.info, since]);
    held.set(TOPIC, { ...ann, info: 'a' }, 10);
    expect(infos()).toEqual([['a', 10]]);
    held.heard();
    held.set(TOPIC, { ...ann, connections: 2 }, 20);
    expect(infos()).toEqual([['a', 10]]);
    held.heard();
    held.set(TOPIC, { ...ann, info: 'b' }, 30);
    held.lost();
    expect(infos()).toEqual([['b', 30]]);
  });

  it('say again those who were said silently, when all had been told that they left', () => {
    const held = new PresenceOutbox();
    for (const userId of ['ann', 'bob']) held.set(TOPIC, { userId, connections: 1 });
    say(held);
    held.lost();
    held.set(TOPIC, { userId: 'cem', connections: 1 });
    say(held);
    held.set(TOPIC, { ...ann, connections: 2 });
    held.remove(TOPIC, 'bob');
    say(held);
    held.buried();
    expect(say(held)).toEqual([['ann', 2, 'again']]);
    held.buried();
    expect(say(held)).toEqual([]);
  });

  it('say nobody again when nobody has remembered it for long', () => {
    const held = new PresenceOutbox();
    held.set(TOPIC, ann);
    say(held);
    held.lost();
    say(held);
    held.assured();
    held.buried();
    expect(say(held)).toEqual([]);
  });

  it('say that who went while all was lost is there, and gone once the others have said theirs', () => {
    const held = new PresenceOutbox();
    held.set(TOPIC, ann);
    say(held);
    held.remove(TOPIC, 'ann');
    held.lost();
    expect(say(held)).toEqual([['ann', 0, 'leaving']]);
    expect(say(held)).toEqual([]);
    held.settle();
    expect(say(held)).toEqual([['ann', undefined, 'aloud']]);
  });

  it('say that who was not said again after a loss has left, also when the node was taken for dead meanwhile', () => {
    const held = new PresenceOutbox();
    held.set(TOPIC, ann);
    say(held);
    held.lost();
    held.forgotten();
    held.remove(TOPIC, 'ann');
    expect(say(held)).toEqual([['ann', 0, 'leaving']]);
    held.settle();
    expect(say(held)).toEqual([['ann', undefined, 'aloud']]);
  });

  it('say that somebody is gone who was being said again when the node was taken for dead', () => {
    const held = new PresenceOutbox();
    held.set(TOPIC, ann);
    say(held);
    held.lost();
    held.take(1);
    held.forgotten();
    held.settle();
    held.remove(TOPIC, 'ann');
    expect(say(held)).toEqual([['ann', 0, 'leaving']]);
    expect(say(held)).toEqual([['ann', undefined, 'aloud']]);
  });

  it('say that somebody came and went who was being said when all was lost', () => {
    const held = new PresenceOutbox();
    held.set(TOPIC, ann);
    held.take(1);
    held.lost();
    held.remove(TOPIC, 'ann');
    expect(say(held)).toEqual([['ann', 0, 'aloud']]);
    held.settle();
    expect(say(held)).toEqual([['ann', undefined, 'aloud']]);
  });

  it('say again who is back of whom it was being said that they are gone when all was lost', () => {
    const held = new PresenceOutbox();
    held.set(TOPIC, ann);
    say(held);
    held.remove(TOPIC, 'ann');
    held.take(1);
    held.lost();
    expect(say(held)).toEqual([['ann', 0, 'leaving']]);
    held.set(TOPIC, ann);
    expect(say(held)).toEqual([['ann', 1, 'again']]);
  });

  it('say that who came back and went again before the others have said theirs is leaving, not there', () => {
    const held = new PresenceOutbox();
    held.set(TOPIC, ann);
    say(held);
    held.remove(TOPIC, 'ann');
    held.lost();
    expect(say(held)).toEqual([['ann', 0, 'leaving']]);
    held.set(TOPIC, ann);
    held.remove(TOPIC, 'ann');
    expect(say(held)).toEqual([['ann', 0, 'leaving']]);
  });

  it('do not say again who joined by the silent report: one who is back, and one of whom all had been told before', () => {
    const held = new PresenceOutbox();
    for (const userId of ['ann', 'bob']) held.set(TOPIC, { userId, connections: 1 });
    say(held);
    held.remove(TOPIC, 'ann');
    held.take(1);
    held.lost();
    say(held);
    for (const userId of ['ann', 'bob', 'cem']) held.announced(TOPIC, userId);
    held.set(TOPIC, ann);
    expect(say(held)).toEqual([['ann', 1, 'aloud']]);
    held.buried();
    expect(say(held)).toEqual([]);
  });

  it('say nothing more of who has gone and is known to have left, and say aloud who is back', () => {
    const held = new PresenceOutbox();
    for (const userId of ['ann', 'bob']) held.set(TOPIC, { userId, connections: 1 });
    say(held);
    for (const userId of ['ann', 'bob']) held.remove(TOPIC, userId);
    held.lost();
    held.take(2);
    held.set(TOPIC, { userId: 'bob', connections: 1 });
    held.heard();
    for (const userId of ['ann', 'bob', 'cem']) held.departed(TOPIC, userId);
    expect(say(held)).toEqual([['bob', 1, 'aloud']]);
    held.settle();
    held.lost();
    expect(say(held)).toEqual([['bob', 1, 'silently']]);
  });

  it('say aloud those who were not said again yet when it turns out that all had been told that they left', () => {
    const held = new PresenceOutbox();
    held.set(TOPIC, ann);
    say(held);
    held.lost();
    held.buried();
    expect(say(held)).toEqual([['ann', 1, 'aloud']]);
  });
});
