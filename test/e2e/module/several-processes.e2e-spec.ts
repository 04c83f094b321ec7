import cluster from 'node:cluster';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { LogRecorder } from '../../helpers/log-recorder.js';
import { startRealtimeApp, type RealtimeAppParts } from '../../helpers/realtime-app.js';

async function warningsOf(parts: RealtimeAppParts = {}): Promise<string[]> {
  const logger = new LogRecorder();
  await startRealtimeApp({ ...parts, logger });
  return logger.lines.filter((line) => line.startsWith('warn '));
}

beforeEach(() => {
  for (const name of ['pm_id', 'NODE_APP_INSTANCE', 'instances']) vi.stubEnv(name, undefined);
  onTestFinished(() => void vi.unstubAllEnvs());
});

describe('With the backend in memory the boot', () => {
  it('warns in a worker of node:cluster, with the cure', async () => {
    const worker = vi.spyOn(cluster, 'isWorker', 'get').mockReturnValue(true);
    onTestFinished(() => worker.mockRestore());
    const [warning] = await warningsOf();
    expect(warning).toContain('This process was started by node:cluster, and the backend is in memory');
    expect(warning).toContain('backend: redisBackend({');
  });

  it.each([
    ['in cluster mode', { pm_id: '1', NODE_APP_INSTANCE: '1', instances: '4' }],
    ['in fork mode', { pm_id: '1' }],
  ])('warns under PM2 %s', async (_mode, env) => {
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    expect(await warningsOf()).toEqual([expect.stringContaining('This process was started by PM2')]);
  });

  it('is silent in a process by itself', async () => {
    expect(await warningsOf()).toEqual([]);
  });
});
