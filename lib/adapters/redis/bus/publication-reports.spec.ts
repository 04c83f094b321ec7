import { describe, expect, it } from 'vitest';
import type { RedisServer } from '../connection/redis-server.js';
import { PublicationReports, type Handed } from './publication-reports.js';

const SERVER = { address: 'a' } as RedisServer;
const ANOTHER = { address: 'b' } as RedisServer;
const CHANNEL = { name: 'channel', partition: 3 };

/** What is noted when Redis has executed an envelope. */
function noted(handed: Partial<Handed>): readonly unknown[] {
  const calls: unknown[] = [];
  const answers = {
    doubt: (sequence: number) => calls.push(['doubt', sequence]),
    checkAgain: (server: RedisServer, { partition }: typeof CHANNEL, sequence: number) =>
      calls.push(['check', server.address, partition, sequence]),
    expect: (sequence: number, reached: number) => calls.push(['expect', sequence, reached]),
  };
  const reports = new PublicationReports(answers as never, { isActive: () => false } as never);
  const envelope = { channel: CHANNEL, sequence: 7, wantsReport: true, isOwn: false };
  reports.handed(SERVER, envelope, { count: 2, server: SERVER, ...handed });
  return calls;
}

describe('the report of an envelope', () => {
  it('needs the answers of the nodes that have received it', () => {
    expect(noted({})).toEqual([['expect', 7, 2]]);
  });

  it.each<[string, Partial<Handed>]>([
    ['another server has executed it than was asked who is subscribed', { server: ANOTHER }],
    ['no server is known any more where the nodes are subscribed', { server: undefined }],
    ['it may not have been published to them', { isSure: false, isLate: true }],
  ])('is not complete if %s', (_why, handed) => {
    expect(noted(handed)).toEqual([
      ['doubt', 7],
      ['expect', 7, 2],
    ]);
  });

  it('needs a second check if it may have been published after the first one, before it can be settled', () => {
    expect(noted({ isLate: true })).toEqual([
      ['check', 'a', 3, 7],
      ['expect', 7, 2],
    ]);
  });
});
