import { describe, expect, it } from 'vitest';
import { chosen, parseOptions } from './options.js';

describe('the options', () => {
  it('ask for three repetitions, and for one when it must be quick or costs grow', () => {
    expect(parseOptions([]).repetitions).toBe(3);
    expect(parseOptions(['--quick']).repetitions).toBe(1);
    expect(parseOptions(['--growth']).repetitions).toBe(1);
    expect(parseOptions(['--quick', '--reps', '2']).repetitions).toBe(2);
  });

  it.each(['0', '-1', '1.5', 'many'])('refuse %s repetitions', (reps) => {
    expect(() => parseOptions([`--reps=${reps}`])).toThrow('--reps');
  });

  it('ask for fifteen pairs when builds are compared', () => {
    expect(parseOptions(['--against', '../before'])).toMatchObject({ against: '../before', pairs: 15 });
    expect(parseOptions(['--against', '../before', '--pairs', '3']).pairs).toBe(3);
    expect(() => parseOptions(['--pairs', '0'])).toThrow('--pairs');
  });

  it('refuse what they do not know', () => {
    expect(() => parseOptions(['--fast'])).toThrow('--fast');
  });

  it('take lists of names', () => {
    expect(parseOptions(['--only', 'ws-loop,socket.io', '--workloads', 'ask'])).toMatchObject({
      only: ['ws-loop', 'socket.io'],
      workloads: ['ask'],
    });
  });
});

describe('a choice by names', () => {
  const all = [{ name: 'a' }, { name: 'b' }];

  it('keeps the order of what there is', () => {
    expect(chosen(all, ['b', 'a'])).toEqual(all);
    expect(chosen(all, undefined)).toEqual(all);
  });

  it('names what there is when something is not there', () => {
    expect(() => chosen(all, ['c'])).toThrow('There is no "c" among a, b.');
  });
});
