import { testToken } from 'nestjs-realtime/testing';
import { setTimeout as delay } from 'node:timers/promises';
import type { Centrifuge } from 'centrifuge';
import { describe, expect, it } from 'vitest';
import { connected, sdkFor } from '../../helpers/sdk.js';
import { NO_RATES } from './crowd.js';
import type { FaultNode } from './fault-node.js';
import type { Said } from './node/rooms.js';
import { startNode } from './start-node.js';

const CLIENTS = 300;

/** So many are connected at a time. */
const AT_ONCE = 50;

/** So many calls of each client are under way at a time. */
const CALLS = 3;

const FLOOD = 'room:flood';

/** So much of the flood comes to each client while it calls. */
const FLOODED = 50;

/** SDKs wait so long for an answer when they are not told otherwise. */
const SDK_TIMEOUT_MS = 5_000;

/** An SDK, and what it tells its application when a command was not answered in time, or its connection has ended. */
class Hasty {
  readonly troubles: string[] = [];
  #asked = 0;
  #flooded = 0;

  private constructor(
    private readonly client: Centrifuge,
    private readonly room: string,
  ) {
    client.on('error', this.#trouble);
    client.on('connecting', this.#trouble);
    client.on('disconnected', this.#trouble);
  }

  static async connect(node: FaultNode, n: number): Promise<Hasty> {
    return new Hasty(await connected(sdkFor(node, { token: testToken(`sdk-${n}`) })), `room:${n}`);
  }

  /** Subscribes to the flood and to a room of its own, and calls at the same time. Resolves when it has had enough of the flood. */
  async hurry(): Promise<void> {
    for (const topic of [FLOOD, this.room]) {
      const subscription = this.client.newSubscription(topic);
      subscription.on('error', this.#trouble);
      subscription.on('unsubscribed', this.#trouble);
      if (topic === FLOOD) subscription.on('publication', () => (this.#flooded += 1));
      subscription.subscribe();
    }
    do await Promise.all(Array.from({ length: CALLS }, () => this.#call()));
    while (this.#flooded < FLOODED && this.troubles.length === 0);
  }

  /** The room has no other member: the answer contains the number of calls. */
  async #call(): Promise<void> {
    const place = ++this.#asked;
    try {
      const { data } = await this.client.rpc('say', { topic: this.room });
      if ((data as Said).place !== place) this.#trouble(data as Said);
    } catch (error) {
      this.#trouble(error as object);
    }
  }

  readonly #trouble = (what: object) => void this.troubles.push(JSON.stringify(what));
}

/** A node that floods a topic from now on, and clients that are connected to it. */
async function flooded(): Promise<{ readonly node: FaultNode; readonly clients: readonly Hasty[] }> {
  const node = await startNode({ options: { centrifuge: true, limits: NO_RATES } });
  const clients: Hasty[] = [];
  while (clients.length < CLIENTS) {
    const first = clients.length;
    clients.push(...(await Promise.all(Array.from({ length: AT_ONCE }, (_, n) => Hasty.connect(node, first + n)))));
  }
  await node.ask('stream', FLOOD, 10);
  return { node, clients };
}

async function troublesOf(clients: readonly Hasty[]): Promise<readonly string[]> {
  await Promise.all(clients.map((client) => client.hurry()));
  return clients.flatMap(({ troubles }) => troubles);
}

describe('300 SDKs that subscribe and call at once, while all of them are flooded,', () => {
  it('are answered before they give up, and none of them loses its connection', async () => {
    const { clients } = await flooded();
    expect(await troublesOf(clients)).toEqual([]);
  });

  it('would give up if the node did not answer for as long', async () => {
    const { node, clients } = await flooded();
    node.signal('SIGSTOP');
    const troubles = troublesOf(clients);
    await delay(SDK_TIMEOUT_MS + 1_000);
    node.signal('SIGCONT');
    expect(await troubles).toContainEqual(expect.stringContaining('timeout'));
  });
});
