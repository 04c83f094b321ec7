import type { TestClient } from 'nestjs-realtime/testing';
import type { FaultNode } from './fault-node.js';

/** So many clients are connected at a time. */
const AT_ONCE = 100;

/** The limits that would refuse many simultaneous clients of one address. */
export const NO_RATES = {
  commandsPerSecond: Infinity,
  commandBurst: Infinity,
  acceptsPerSecond: Infinity,
  maxUnauthenticatedPerIp: Infinity,
  refusedPerSecondPerIp: Infinity,
};

/** Connects users (`user-0`, `user-1`, …), each of them welcomed. The node must be told to let so many in: {@link NO_RATES}. */
export async function connectCrowd(node: FaultNode, size: number): Promise<TestClient[]> {
  const crowd: TestClient[] = [];
  while (crowd.length < size) {
    const first = crowd.length;
    const count = Math.min(AT_ONCE, size - first);
    crowd.push(...(await Promise.all(Array.from({ length: count }, (_, n) => welcomed(node, `user-${first + n}`)))));
  }
  return crowd;
}

async function welcomed(node: FaultNode, userId: string): Promise<TestClient> {
  const client = await node.connect(userId);
  await client.next('realtime:welcome', 20_000);
  return client;
}
