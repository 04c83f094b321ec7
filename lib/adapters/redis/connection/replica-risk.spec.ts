import { describe, expect, it } from 'vitest';
import { explainReplicaRisk } from './replica-risk.js';

const info = (...lines: readonly string[]) => ['# Replication', ...lines, ''].join('\r\n');

describe('the risk of a master with replicas', () => {
  it.each([1, 2])('is explained when it writes without them (%i)', (count) => {
    expect(explainReplicaRisk(info('role:master', `connected_slaves:${count}`))).toMatch(
      new RegExp(`^has ${count} replicas?, and min-replicas-to-write is 0: .+ Set min-replicas-to-write 1`),
    );
  });

  it.each([
    ['has no replicas', info('role:master', 'connected_slaves:0')],
    ['does not write without them', info('role:master', 'connected_slaves:1', 'min_slaves_good_slaves:1')],
    ['is a replica', info('role:slave', 'connected_slaves:1')],
    ['does not say', ''],
  ])('is not there when it %s', (_what, reply) => {
    expect(explainReplicaRisk(reply)).toBeUndefined();
  });
});
