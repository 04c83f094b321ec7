import { describe, expect, it } from 'vitest';
import { runNode } from './child.js';

const PROGRAM = 'test/package/fixtures/in-a-worker.mjs';

describe('An application with the backend in memory', () => {
  it('warns at boot in a real worker of node:cluster, with the cure', async () => {
    const { code, output } = await runNode(PROGRAM);
    expect(code, output).toBe(0);
    expect(output).toContain('This process was started by node:cluster, and the backend is in memory');
    expect(output).toContain('backend: redisBackend({');
  });

  it('is silent about it in a process by itself', async () => {
    const { code, output } = await runNode(PROGRAM, ['alone']);
    expect(code, output).toBe(0);
    expect(output).not.toContain('backend is in memory');
  });
});
