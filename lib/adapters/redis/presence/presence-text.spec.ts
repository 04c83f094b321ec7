import { describe, expect, it } from 'vitest';
import { topicText } from '../connection/redis-channels.js';
import { changesIn, goneIn, incarnationsIn, infoText, pageIn, wordsOf } from './presence-text.js';

const ann = { topic: 'chat:1', userId: 'ann', since: 100, manner: 'aloud' } as const;

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
    expect(wordsOf({ ...ann, member }, 150)).toEqual(['chat:1', '"ann"', '+', '2', '50', '{"name":"Ann"}']);
    expect(wordsOf({ ...ann, member, manner: 'silently' }, 99)[2]).toBe('=');
    expect(wordsOf({ ...ann, member, manner: 'leaving' }, 99)[2]).toBe('~');
    expect(wordsOf({ ...ann, member, manner: 'again' }, 99).slice(2, 5)).toEqual(['!', '2', '0']);
    expect(wordsOf(ann, 150)).toEqual(['chat:1', '"ann"', '-', '0', '0', '']);
    expect(wordsOf({ ...ann, member: { userId: 'ann', connections: 2 } }, 150)[5]).toBe('');
    expect(infoText(undefined)).toBeUndefined();
  });
});

describe('what Redis answers', () => {
  it('names kind, topic, user and info of each change', () => {
    expect(changesIn(['joined', 'chat:1', '"bob"', '"Bob"', 'left', 'chat:1', '"ann"', ''])).toEqual([
      ['chat:1', { kind: 'joined', userId: 'bob', info: 'Bob' }],
      ['chat:1', { kind: 'left', userId: 'ann' }],
    ]);
  });

  it('names the users whose report was ignored', () => {
    const reply = ['joined', 'chat:1', '"bob"', '', 'gone', 'chat:1', '"ann"', '', 'gone', 'chat:1', 'cem', ''];
    expect(goneIn(reply)).toEqual([['chat:1', 'ann']]);
    expect(changesIn(reply)).toHaveLength(1);
  });

  it('names the incarnations that were declared dead, and those that were ended, apart from the changes', () => {
    const reply = ['dead', 'a.1', '', '', 'left', 'chat:1', '"ann"', '', 'ended', 'a.1', '', '', 'dead', 'b.2', '', ''];
    expect([incarnationsIn(reply, 'dead'), incarnationsIn(reply, 'ended')]).toEqual([['a.1', 'b.2'], ['a.1']]);
    expect([changesIn(reply).length, incarnationsIn(null, 'dead')]).toEqual([1, []]);
  });

  it('is left out where nobody of ours can have written it', () => {
    const wrong = ['left', 'chat:1', 'ann', '', 'left', 'chat:"', '"ann"', '', 'went', 'chat:1', '"ann"', ''];
    expect(changesIn([...wrong, 'left', 'chat:1', '"bob"', '{'])).toEqual([
      ['chat:1', { kind: 'left', userId: 'bob' }],
    ]);
    expect(changesIn(null)).toEqual([]);
    const entries = ['"ann"', '1 2 0 ', '"bob"', 'x', 'cem', '1 1 0 ', '"dan"', '1 1 7 {"a":1}'];
    expect(pageIn(['e', '1', '9', 3, '4', '0', entries])).toEqual({
      at: { epoch: 'e', sequence: 9 },
      isWhole: true,
      users: 3,
      connections: 4,
      cursor: '0',
      members: [
        { userId: 'ann', connections: 2 },
        { userId: 'dan', connections: 1, info: { a: 1 } },
      ],
    });
  });
});
