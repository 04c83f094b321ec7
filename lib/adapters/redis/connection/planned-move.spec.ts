import { describe, expect, it } from 'vitest';
import { isPlannedMove, type SlotSighting } from './planned-move.js';
import type { RedisServer } from './redis-server.js';

const OWNER = 'run_id:aaa\r\nuptime_in_seconds:3600\r\nrole:master\r\nsecond_repl_offset:-1\r\n';
const NEXT = 'run_id:bbb\r\nuptime_in_seconds:3600\r\nrole:master\r\nsecond_repl_offset:-1\r\n';

/** A server that answers EXISTS and INFO. */
function server(port: number, runId: string, info: string, exists: () => unknown = () => 0): RedisServer {
  const sendCommand = async ([name]: string[]) => (name === 'INFO' ? info : exists());
  const run = async (use: (client: object) => Promise<unknown>) =>
    use({ sendCommand }).catch((cause: unknown) => {
      throw Object.assign(new Error('UNAVAILABLE'), { cause });
    });
  return { address: `10.0.0.1:${port}`, runId, commands: { run } } as never;
}

function refuse(text: string): never {
  throw new Error(text);
}

interface Case {
  readonly owner?: string;
  readonly next?: string;
  readonly exists?: () => unknown;
  readonly seen?: Partial<SlotSighting>;
}

async function judge({ owner = OWNER, next = NEXT, exists, seen }: Case = {}): Promise<boolean> {
  const now = performance.now();
  const from = server(1, 'aaa', owner, exists ?? (() => refuse('MOVED 5 10.0.0.1:2')));
  const to = server(2, 'bbb', next);
  return isPlannedMove({ server: from, runId: 'aaa', wholeAt: now, ownedAt: now, ...seen }, to, 'key', 5_000);
}

describe('a planned move', () => {
  it('is one from a master that has given the slot away to one that has been a master before', async () => {
    expect(await judge()).toBe(true);
  });

  it('is one whose former owner takes a moment to learn of its end', async () => {
    const answers = ['ASK 5 10.0.0.1:2', 'ASK 5 10.0.0.1:2', 'MOVED 5 10.0.0.1:2'];
    expect(await judge({ exists: () => refuse(answers.shift()!) })).toBe(true);
  });

  it('is one to a port on the host of the former owner, which it names without the host', async () => {
    expect(await judge({ exists: () => refuse('MOVED 5 :2') })).toBe(true);
  });

  it.each<[string, Case]>([
    [
      'the slot belongs to a server whose address is the end of the other one',
      { exists: () => refuse('MOVED 5 0.0.0.1:2') },
    ],
    ['the former owner is another run', { owner: OWNER.replace('aaa', 'ccc') }],
    ['the former owner has become a replica', { owner: OWNER.replace('master', 'slave') }],
    ['the new owner is another run than the one that the node is connected to', { next: NEXT.replace('bbb', 'ccc') }],
    ['the new owner was promoted', { next: NEXT.replace('-1', '4711') }],
    ['the new owner may have started after the slot was seen whole', { next: NEXT.replace('3600', '1') }],
    ['the slot belongs to a third server', { exists: () => refuse('MOVED 5 10.0.0.1:3') }],
    ['the former owner still has the slot', { exists: () => 1 }],
    ['the slot was not seen at its former owner lately', { seen: { ownedAt: performance.now() - 60_000 } }],
  ])('is not proven if %s', async (_why, parts) => {
    expect(await judge(parts)).toBe(false);
  });

  it('is not decided if the former owner does not answer', async () => {
    await expect(judge({ exists: () => refuse('the connection was lost') })).rejects.toThrow();
  });
});
