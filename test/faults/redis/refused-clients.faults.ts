import { testToken } from 'nestjs-realtime/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { RareLines } from '../../../lib/core/base/rare-lines.js';
import { collectLogs } from '../../helpers/handler-harness.js';
import { Fleet } from './fleet.js';

const CLIENTS = 30;

/** Clients come while Redis is away. @returns how they are closed, and what the log says about them */
async function refused() {
  const fleet = await Fleet.start({ size: 1, over: { commandTimeoutMs: 200 } });
  const [node] = fleet.nodes;
  await fleet.redis.kill();
  await expect.poll(() => node!.realtime.isAttached).toBe(false);
  const logs = collectLogs();
  const codes = await Promise.all(
    Array.from({ length: CLIENTS }, async (_, n) => {
      const client = await node!.connect({ token: testToken(`late-${n}`) });
      return (await client.nextClose(20_000)).code;
    }),
  );
  return { codes: new Set(codes), lines: logs.filter((line) => line.includes('The bus could not be joined')) };
}

describe('Clients that come while Redis is away', () => {
  it('are told to come back, and share one line in the log, without a stack', async () => {
    const { codes, lines } = await refused();
    expect(codes).toEqual(new Set([3004]));
    expect(lines.length).toBeLessThanOrEqual(3);
    expect(lines.join()).not.toContain('    at ');
  });

  it('would each have a line if nobody counted them', async () => {
    const add = vi.spyOn(RareLines.prototype, 'add').mockReturnValue(0);
    onTestFinished(() => add.mockRestore());
    expect((await refused()).lines).toHaveLength(CLIENTS);
  });
});
