import { beforeEach, describe, expect, it } from 'vitest';
import { Ledger } from '../../soak/ledger.js';

const NODE = 1;
const TOPIC = 'room:1';
const READER = 'reader';
const PUBLISHERS = 2;

let ledger: Ledger;
beforeEach(() => {
  ledger = new Ledger(PUBLISHERS);
  ledger.open(READER, NODE);
  ledger.enter(READER, TOPIC);
});

const arrive = (...places: number[]) => places.forEach((place) => ledger.arrive(READER, TOPIC, place));
const acknowledge = (...places: number[]) =>
  places.forEach((place) => ledger.acknowledge(NODE, TOPIC, place, [READER]));

/** The kinds of violations once all is over. */
function found(isJudgedToTheEnd = true): string[] {
  ledger.close(READER, isJudgedToTheEnd);
  ledger.settle();
  return [...ledger.violations.keys()];
}

describe('The ledger of the soak', () => {
  it('finds nothing where everything arrives that was acknowledged', () => {
    arrive(1, 2, 3);
    acknowledge(1, 3, 2);
    expect(found()).toEqual([]);
  });

  it('finds a gap', () => {
    arrive(1, 3);
    expect(found()).toEqual(['lost']);
  });

  it('finds that the first was lost', () => {
    acknowledge(1, 2);
    arrive(2);
    expect(found()).toEqual(['lost']);
  });

  it('finds that the last was lost', () => {
    arrive(1);
    acknowledge(1, 2);
    expect(found()).toEqual(['lost']);
  });

  it('finds that everything was lost', () => {
    acknowledge(1);
    expect(found()).toEqual(['lost']);
  });

  it('finds what came twice', () => {
    arrive(1, 1);
    expect(found()).toEqual(['duplicated']);
  });

  it('finds what came too late', () => {
    arrive(1, 3, 2);
    expect(found()).toEqual(['lost', 'out of order']);
  });

  it('forgives that the last was lost to a reader who broke off', () => {
    arrive(1);
    acknowledge(1, 2);
    expect(found(false)).toEqual([]);
  });

  it('finds that a reader gets nothing though it is there', () => {
    for (let place = 1; place <= PUBLISHERS + 1; place++) ledger.acknowledge(NODE, TOPIC, place, []);
    ledger.demand(READER, ledger.owed(READER));
    expect(found()).toEqual(['lost']);
  });

  it('does not ask for what may have been published before a reader was there', () => {
    for (let place = 1; place <= PUBLISHERS; place++) ledger.acknowledge(NODE, TOPIC, place, []);
    ledger.demand(READER, ledger.owed(READER));
    expect(found()).toEqual([]);
  });
});
