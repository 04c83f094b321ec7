import { describe, expect, it } from 'vitest';
import { siblingProcesses } from './sibling-processes.js';

describe('Sibling processes are', () => {
  it.each<[string, Record<string, string>, isWorker: boolean, expected: string | undefined]>([
    ['not expected of a process by itself', {}, false, undefined],
    ['expected of a worker of node:cluster', {}, true, 'node:cluster'],
    [
      'expected of an instance of PM2 in cluster mode',
      { pm_id: '0', NODE_APP_INSTANCE: '0', instances: '4' },
      true,
      'PM2',
    ],
    ['expected of an instance of PM2 in fork mode', { pm_id: '3' }, false, 'PM2'],
    ['expected of a numbered instance', { NODE_APP_INSTANCE: '1' }, false, 'PM2'],
    ['not expected of the only instance of PM2', { pm_id: '0', instances: '1' }, true, undefined],
  ])('%s', (_what, env, isWorker, expected) => {
    expect(siblingProcesses(env, isWorker)).toBe(expected);
  });
});
