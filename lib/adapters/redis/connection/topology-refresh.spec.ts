import { Logger } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { TICK_MS } from './redis-connection.js';
import { TopologyRefresh } from './topology-refresh.js';
import { WarnOnChange } from './warn-on-change.js';

const ROUTINE_MS = 30_000;
/** More ticks than the interval of doubt and its jitter take together. */
const SOON = 1_000 / TICK_MS + 1;

/** A refresh whose requests end when the test says so, each in its turn. */
function start() {
  const requests: Request[] = [];
  const ask = () => {
    const request = withResolvers();
    requests.push(request);
    return request.promise;
  };
  const refresh = new TopologyRefresh(ask, ROUTINE_MS, new WarnOnChange(new Logger('test'), 'not read'));
  const tick = (times: number) => {
    for (let time = 0; time < times; time++) refresh.tick(false);
  };
  return { refresh, requests, tick };
}

interface Request {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

function withResolvers(): Request {
  let [resolve, reject]: [() => void, (error: Error) => void] = [() => {}, () => {}];
  const promise = new Promise<void>((...functions) => ([resolve, reject] = functions));
  return { promise, resolve, reject };
}

describe('the topology', () => {
  it('is asked for soon after a doubt, and once', async () => {
    const { refresh, requests, tick } = start();
    refresh.doubt();
    tick(SOON);
    expect(requests).toHaveLength(1);
    requests[0]!.resolve();
    await requests[0]!.promise;
    await new Promise(setImmediate);
    tick(SOON);
    expect(requests).toHaveLength(1);
  });

  it('is asked for again if a doubt comes up while a request is under way', async () => {
    const { refresh, requests, tick } = start();
    const first = refresh.now();
    refresh.doubt();
    requests[0]!.resolve();
    await first;
    tick(SOON);
    expect(requests).toHaveLength(2);
  });

  it('stays in doubt after a request that failed', async () => {
    const { refresh, requests, tick } = start();
    refresh.doubt();
    const first = refresh.now();
    requests[0]!.reject(new Error('away'));
    await expect(first).rejects.toThrow('away');
    tick(SOON);
    expect(requests).toHaveLength(2);
  });

  it('is asked for as a routine otherwise', async () => {
    const { requests, tick } = start();
    tick(ROUTINE_MS / TICK_MS - 1);
    expect(requests).toHaveLength(0);
    tick(1);
    expect(requests).toHaveLength(1);
  });
});
