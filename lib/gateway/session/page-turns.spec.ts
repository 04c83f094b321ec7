import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { TurnQueue } from '../turn-queue.js';
import { PageTurns } from './page-turns.js';

let client: { isClosed: boolean };
/** Whether the client still has to take what it was sent. */
let untaken: Promise<void> | undefined;
let turns: PageTurns;
let log: string[];

beforeEach(() => {
  client = { isClosed: false };
  untaken = undefined;
  log = [];
  turns = new PageTurns(client, { wait: () => untaken }, new TurnQueue());
});

const page = (name: string) => () => void log.push(name);

/** Lets everything run that waits for a turn. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await nextTurn();
}

describe('the pages for one client', () => {
  it('are sent in turns of their own, in the order in which they were asked for', async () => {
    for (const name of ['a', 'b', 'c']) turns.add(page(name));
    const early = [...log];
    await settle();
    expect([early, log]).toEqual([[], ['a', 'b', 'c']]);
  });

  it('wait until the client has taken the page before', async () => {
    let take!: () => void;
    untaken = new Promise((resolve) => (take = resolve));
    turns.add(page('a'));
    turns.add(page('b'));
    await settle();
    const early = [...log];
    take();
    await settle();
    expect([early, log]).toEqual([['a'], ['a', 'b']]);
  });

  it('of another topic wait while a page is read', async () => {
    let isKnown = false;
    let read!: () => void;
    turns.add(() => {
      if (isKnown) return void log.push('a');
      return new Promise((resolve) => (read = resolve));
    });
    turns.add(page('b'));
    await settle();
    const early = [...log];
    isKnown = true;
    read();
    await settle();
    expect([early, log]).toEqual([[], ['a', 'b']]);
  });

  it('of several topics alternate', async () => {
    const topic = (name: string, left: number): (() => undefined) => {
      return () => {
        log.push(name);
        if (left > 1) turns.add(topic(name, left - 1));
      };
    };
    turns.add(topic('a', 3));
    turns.add(topic('b', 2));
    await settle();
    expect(log).toEqual(['a', 'b', 'a', 'b', 'a']);
  });

  it('end with the connection', async () => {
    turns.add(page('a'));
    client.isClosed = true;
    await settle();
    expect(log).toEqual([]);
  });
});
