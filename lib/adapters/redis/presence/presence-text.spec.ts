import { describe, expect, it } from 'vitest';
import { changesOf, departuresIn, infoText, presenceIn, topicText, wordsOf } from './presence-text.js';

const ann = { topic: 'chat:1', userId: 'ann', isInfoNew: false, isSilent: false };

describe('what is said of presence', () => {
  it('leaves the topics of an application as they are, and no two topics share a text', () => {
    expect(topicText('chat:1/a@b_c.d-E')).toBe('chat:1/a@b_c.d-E');
    for (const topic of ['#online:"', '#online:\n\\', '#online:\ud800', '#online:\ufffd', '#online:\u{1f600}']) {
      const text = topicText(topic);
      expect(JSON.parse(`"${text}"`)).toBe(topic);
      expect(Buffer.from(text).toString()).toBe(text);
    }
  });

  it('says who is there, silently or not, and who is gone', () => {
    const member = { userId: 'ann', connections: 2, info: infoText({ name: 'Ann' }) };
    expect(wordsOf({ ...ann, member })).toEqual(['chat:1', '"ann"', '+', '2', '{"name":"Ann"}', '0']);
    expect(wordsOf({ ...ann, member, isInfoNew: true })[5]).toBe('1');
    expect(wordsOf({ ...ann, member, isSilent: true })[2]).toBe('=');
    expect(wordsOf(ann)).toEqual(['chat:1', '"ann"', '-', '0', '', '']);
    expect(wordsOf({ ...ann, member: { userId: 'ann', connections: 2 } })[4]).toBe('');
    expect(infoText(undefined)).toBeUndefined();
  });
});

describe('what Redis answers', () => {
  it('names the changes by their place in the lot', () => {
    const lot = [ann, { ...ann, userId: 'bob', member: { userId: 'bob', connections: 1, info: '"Bob"' } }];
    expect(changesOf(lot, ['1', '', '0', '"Ann"'])).toEqual([
      ['chat:1', { kind: 'joined', userId: 'bob', info: 'Bob' }],
      ['chat:1', { kind: 'left', userId: 'ann', info: 'Ann' }],
    ]);
  });

  it('is left out where nobody of ours can have written it', () => {
    expect(changesOf([ann], ['7', ''])).toEqual([]);
    expect(departuresIn(['chat:1', 'ann', '', 'chat:"', '"ann"', '', 'chat:1', '"bob"', '{'])).toEqual([
      ['chat:1', { kind: 'left', userId: 'bob' }],
    ]);
    expect(departuresIn(null)).toEqual([]);
    expect(
      presenceIn('chat:1', [3, '4', ['"ann"', '1 2 ', '"bob"', 'x', 'cem', '1 1 ', '"dan"', '1 1 {"a":1}']]),
    ).toEqual({
      topic: 'chat:1',
      users: [
        { userId: 'ann', connections: 2 },
        { userId: 'dan', connections: 1, info: { a: 1 } },
      ],
      userCount: 3,
      connectionCount: 4,
    });
  });
});
