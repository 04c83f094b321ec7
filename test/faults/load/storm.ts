import { TestClient, UpgradeRefusedError } from 'nestjs-realtime/testing';
import { signedToken } from '../../helpers/signed-token.js';
import type { FaultNode } from './fault-node.js';

/** The result for many clients that connect at the same moment. */
export interface Storm {
  readonly connected: readonly TestClient[];
  /** The answers of the server to the others. */
  readonly refusals: readonly UpgradeRefusedError[];
  /** Other errors. */
  readonly failures: readonly unknown[];
  /** From the first attempt to the last answer, in milliseconds. */
  readonly ms: number;
}

/** Somebody who connects from an address of their own, as a proxy in front of the node tells it. */
export interface Visitor {
  readonly token: string;
  readonly address: string;
}

/** So many visitors, each another user. */
export function visitors(count: number): Visitor[] {
  return Array.from({ length: count }, (_, n) => ({
    token: signedToken({ sub: `user-${n}` }),
    address: `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`,
  }));
}

/** All connect at once. */
export async function storm(node: FaultNode, crowd: readonly Visitor[]): Promise<Storm> {
  const connected: TestClient[] = [];
  const refusals: UpgradeRefusedError[] = [];
  const failures: unknown[] = [];
  const start = performance.now();
  await Promise.all(
    crowd.map(async (visitor) => {
      try {
        connected.push(await visit(node, visitor));
      } catch (error) {
        if (error instanceof UpgradeRefusedError) refusals.push(error);
        else failures.push(error);
      }
    }),
  );
  return { connected, refusals, failures, ms: performance.now() - start };
}

/** Connects one client. @throws UpgradeRefusedError */
export function visit(node: FaultNode, { token, address }: Visitor): Promise<TestClient> {
  const headers = { authorization: `Bearer ${token}`, 'x-forwarded-for': address };
  return TestClient.connect(`${node.url.replace('http', 'ws')}/ws`, { headers });
}
