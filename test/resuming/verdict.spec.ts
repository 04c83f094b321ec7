import { beforeEach, describe, expect, it } from 'vitest';
import { Journal, type Note, type Outcome, type Position } from './journal.js';
import { judge } from './verdict.js';

const at = (offset: number, epoch = 'a'): Position => ({ epoch, offset });
const got = (key: string, offset: number): Note => ({ kind: 'got', key, offset });
const subscribed = (where: Position): Note => ({ kind: 'told', at: where });
const recovered = (where: Position, to = where): Note => ({ kind: 'told', asked: where, at: to, recovered: true });
const refusedTo = (asked: Position, to: Position): Note => ({ kind: 'told', asked, at: to, recovered: false });
const GONE: Note = { kind: 'gone' };

let journal: Journal;
beforeEach(() => void (journal = new Journal()));

function say(key: string, outcome: Outcome, isRepeated = false): void {
  const begun = journal.now();
  journal.statements.push({ key, begun, ended: journal.now(), isRepeated, outcome });
}

/** These are acknowledged at the places from 1 on. */
const acknowledge = (...keys: string[]) =>
  keys.forEach((key, index) => say(key, { kind: 'acknowledged', ...at(index + 1) }));

const ann = (...notes: Note[]) => void journal.diaryOf('ann').push(...notes);

const found = () => Object.keys(judge(journal).violations);

describe('The verdict', () => {
  it('is without fault where a client gets everything, whatever it went through', () => {
    acknowledge('x', 'y', 'z');
    ann(subscribed(at(0)), got('x', 1), GONE, recovered(at(1)), got('y', 2), GONE, recovered(at(2)), got('z', 3));
    expect(judge(journal)).toEqual({
      published: 3,
      acknowledged: 3,
      unknown: 0,
      refused: 0,
      delivered: 3,
      recovered: 2,
      notRecovered: 0,
      violations: {},
    });
  });

  it('is without fault where a client is told that it has missed something', () => {
    acknowledge('x', 'y', 'z');
    ann(subscribed(at(0)), got('x', 1), GONE, refusedTo(at(1), at(2)), got('z', 3));
    expect(judge(journal)).toMatchObject({ notRecovered: 1, violations: {} });
  });

  it('does not ask for what was published before a client came', () => {
    acknowledge('x', 'y');
    ann(subscribed(at(1)), got('y', 2));
    expect(found()).toEqual([]);
  });

  it.each([[[got('?', 2), got('y', 3)]], [[got('y', 2)]]])(
    'lets what nobody knows come once, or not at all',
    (notes) => {
      say('x', { kind: 'acknowledged', ...at(1) });
      say('?', { kind: 'unknown' });
      say('y', { kind: 'acknowledged', ...at(notes.length + 1) });
      ann(subscribed(at(0)), got('x', 1), ...notes);
      expect(found()).toEqual([]);
    },
  );

  it('lets what was published again, and forgotten before, come again in another epoch', () => {
    say('x', { kind: 'acknowledged', ...at(1, 'b') }, true);
    ann(subscribed(at(0)), got('x', 1), { kind: 'told', at: at(0, 'b'), recovered: false }, got('x', 1));
    expect(found()).toEqual([]);
  });
});

describe('The verdict finds', () => {
  it('that a publication comes again after another epoch, though the client had it', () => {
    acknowledge('x');
    const meanwhile: Note[] = [GONE, refusedTo(at(1), at(0, 'b')), { kind: 'told', at: at(0), recovered: false }];
    ann(subscribed(at(0)), got('x', 1), ...meanwhile, got('x', 1));
    expect(found()).toContain('duplicated');
  });

  it('that a publication comes again in a third epoch, though it was published once', () => {
    acknowledge('x');
    const meanwhile: Note[] = [GONE, refusedTo(at(1), at(0, 'b')), { kind: 'told', at: at(0, 'c'), recovered: false }];
    ann(subscribed(at(0)), got('x', 1), ...meanwhile, got('x', 1));
    expect(found()).toContain('duplicated');
  });

  it('that a publication comes again at another offset after another epoch', () => {
    acknowledge('x');
    const meanwhile: Note[] = [GONE, refusedTo(at(1), at(0, 'b')), { kind: 'told', at: at(1), recovered: false }];
    ann(subscribed(at(0)), got('x', 1), ...meanwhile, got('x', 2));
    expect(found()).toContain('duplicated');
  });

  it('that one is missing between two', () => {
    acknowledge('x', 'y', 'z');
    ann(subscribed(at(0)), got('x', 1), got('z', 3));
    expect(found()).toEqual(['silent gap', 'lost']);
  });

  it('that the first one is missing', () => {
    acknowledge('x', 'y');
    ann(subscribed(at(0)), got('y', 2));
    expect(found()).toEqual(['silent gap', 'lost']);
  });

  it('that the last one is missing', () => {
    acknowledge('x', 'y');
    ann(subscribed(at(0)), got('x', 1));
    expect(found()).toEqual(['lost']);
  });

  it('that a client never got in', () => {
    acknowledge('x');
    ann(GONE);
    expect(found()).toEqual(['lost']);
  });

  it('that one is missing at the seam', () => {
    acknowledge('x', 'y', 'z');
    ann(subscribed(at(0)), got('x', 1), GONE, recovered(at(1)), got('z', 3));
    expect(found()).toEqual(['silent gap', 'lost']);
  });

  it('that one came twice at the seam', () => {
    acknowledge('x', 'y');
    ann(subscribed(at(0)), got('x', 1), GONE, recovered(at(1)), got('y', 2), got('y', 2));
    expect(found()).toEqual(['duplicated']);
  });

  it('that one came at two places', () => {
    say('x', { kind: 'acknowledged', ...at(2) }, true);
    ann(subscribed(at(0)), got('x', 1), got('x', 2));
    expect(found()).toEqual(['duplicated']);
  });

  it('that two came the other way round', () => {
    acknowledge('x', 'y');
    ann(subscribed(at(0)), got('y', 2), got('x', 1));
    expect(found()).toEqual(['silent gap', 'reordered']);
  });

  it('that something came before the answer', () => {
    acknowledge('x');
    ann(got('x', 1), subscribed(at(1)));
    expect(found()).toEqual(['reordered']);
  });

  it('that a client was not told whether it has recovered', () => {
    acknowledge('x', 'y');
    ann(subscribed(at(0)), got('x', 1), GONE, { kind: 'told', asked: at(1), at: at(2) });
    expect(found()).toEqual(['silent gap']);
  });

  it('that a client was said to have recovered from elsewhere', () => {
    acknowledge('x', 'y');
    ann(subscribed(at(0)), got('x', 1), GONE, recovered(at(1), at(2)));
    expect(found()).toEqual(['contradicted']);
  });

  it('that a client stays in an epoch that is over', () => {
    say('x', { kind: 'acknowledged', ...at(1) });
    say('y', { kind: 'acknowledged', ...at(1, 'b') });
    ann(subscribed(at(0)), got('x', 1));
    expect(found()).toEqual(['lost']);
  });

  it('that places were given out again, as by a server that came back with an older state', () => {
    acknowledge('x', 'y');
    say('z', { kind: 'acknowledged', ...at(2) });
    ann(subscribed(at(0)), got('x', 1), got('y', 2), GONE, recovered(at(2)));
    expect(found()).toEqual(['contradicted', 'reordered', 'lost']);
  });

  it('that two clients got different things at one place', () => {
    say('x', { kind: 'unknown' });
    say('y', { kind: 'unknown' });
    ann(subscribed(at(0)), got('x', 1));
    journal.diaryOf('bob').push(subscribed(at(0)), got('y', 1));
    expect(found()).toEqual(['contradicted']);
  });

  it.each([
    ['was refused', () => say('x', { kind: 'refused' })],
    ['nobody has said', () => undefined],
  ])('that something came which %s', (_what, said) => {
    said();
    ann(subscribed(at(0)), got('x', 1));
    expect(found()).toEqual(['contradicted']);
  });
});
