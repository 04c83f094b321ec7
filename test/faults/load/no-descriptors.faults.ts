import { UpgradeRefusedError, type TestClient } from 'nestjs-realtime/testing';
import { execFileSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RealtimeLimits } from 'nestjs-realtime';
import { connectCrowd, NO_RATES } from './crowd.js';
import { FaultNode } from './fault-node.js';

const REGULARS = 10;
/** So many more connections the operating system allows. */
const ROOM = 20;
const COMERS = 60;
const AT_ONCE = 5;

/** The result for a node with more clients than file descriptors. */
interface Crowded {
  readonly letIn: number;
  readonly refusals: readonly UpgradeRefusedError[];
  /** The clients that were disconnected without an answer. */
  readonly cutOff: number;
  /** The answers that the earlier clients received meanwhile. */
  readonly answers: readonly string[];
  /** How many got in after the others had left. */
  readonly letInLater: number;
}

async function crowd(limits: RealtimeLimits): Promise<Crowded> {
  const node = await FaultNode.start({ options: { limits: { ...NO_RATES, ...limits } } });
  try {
    const regulars = await connectCrowd(node, REGULARS);
    limitFiles(node.pid, filesOf(node.pid) + ROOM);
    const comers = await come(node, COMERS);
    const answers = await Promise.all(regulars.map((client) => client.request({ action: 'ping' }, 10_000)));
    for (const client of comers.letIn) client.socket.terminate();
    await until(async () => (await node.ask('counts')).connections === REGULARS);
    const { letIn } = await come(node, ROOM / 2);
    return {
      ...comers,
      letIn: comers.letIn.length,
      answers: answers.map(({ type }) => type),
      letInLater: letIn.length,
    };
  } finally {
    await node.kill();
  }
}

/** Comes in such numbers, a few at a time. */
async function come(node: FaultNode, count: number) {
  const letIn: TestClient[] = [];
  const refusals: UpgradeRefusedError[] = [];
  let cutOff = 0;
  const visit = async (n: number) => {
    try {
      letIn.push(await node.connect(`comer-${n}`));
    } catch (error) {
      if (error instanceof UpgradeRefusedError) refusals.push(error);
      else cutOff += 1;
    }
  };
  const visits = async (first: number) => {
    for (let n = first; n < count; n += AT_ONCE) await visit(n);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, (_, first) => visits(first)));
  return { letIn, refusals, cutOff };
}

/** How many files, sockets among them, a process has open. */
function filesOf(pid: number): number {
  return execFileSync('ls', [`/proc/${pid}/fd`])
    .toString()
    .trim()
    .split('\n').length;
}

function limitFiles(pid: number, count: number): void {
  execFileSync('prlimit', ['--pid', `${pid}`, `--nofile=${count}:${count}`]);
}

async function until(test: () => Promise<boolean>): Promise<void> {
  while (!(await test())) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe.runIf(process.platform === 'linux')('A node to which more clients come than it may have files', () => {
  let crowded: Crowded;
  beforeAll(async () => {
    crowded = await crowd({});
  });

  it('lets in as many as there is room for', () => {
    expect(crowded.letIn).toBeGreaterThanOrEqual(ROOM / 2);
  });

  it('cuts off all others without an answer', () => {
    expect(crowded.cutOff).toBe(COMERS - crowded.letIn);
  });

  it('goes on serving those who are connected', () => {
    expect(crowded.answers).toEqual(Array.from({ length: REGULARS }, () => 'realtime:pong'));
  });

  it('lets in others when some have left', () => {
    expect(crowded.letInLater).toBe(ROOM / 2);
  });
});

describe.runIf(process.platform === 'linux')('A node whose maxConnections are fewer than its files', () => {
  let crowded: Crowded;
  beforeAll(async () => {
    crowded = await crowd({ maxConnections: REGULARS + ROOM / 2 });
  });

  it('lets in as many as it was told', () => {
    expect(crowded.letIn).toBe(ROOM / 2);
  });

  it('tells all others to come back later', () => {
    const answers = crowded.refusals.map(({ status, headers }) => [status, headers['retry-after']]);
    expect(answers).toEqual(Array.from({ length: COMERS - ROOM / 2 }, () => [503, '5']));
  });

  it('lets in others when some have left', () => {
    expect(crowded.letInLater).toBe(ROOM / 2);
  });
});
