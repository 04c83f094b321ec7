import { testToken, type TestClient } from 'nestjs-realtime/testing';
import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { upgradeRequest } from '../../helpers/raw-client.js';
import type { FaultNode } from './fault-node.js';
import type { SeededRandom } from './seeded-random.js';

const TOPICS = Array.from({ length: 50 }, (_, n) => `room:${n}`);

/** A client that comes and goes in every way there is, and is never long in one place. */
export class Churner {
  /** The answers to refused attempts. */
  readonly refusals: unknown[] = [];

  constructor(
    private readonly node: FaultNode,
    private readonly name: string,
    private readonly random: SeededRandom,
  ) {}

  /** Comes and goes for so long, and at least so often. */
  async churn(forMs: number, atLeast = 0): Promise<void> {
    const end = performance.now() + forMs;
    for (let visits = 0; visits < atLeast || performance.now() < end; visits++) {
      await (this.random.below(5) === 0 ? this.#vanishAtTheDoor() : this.#visit());
    }
  }

  /** Breaks off while the request is on its way, is being judged, or has just been answered. */
  async #vanishAtTheDoor(): Promise<void> {
    const socket = connect(this.node.port, '127.0.0.1');
    socket.on('error', () => undefined);
    const gone = new Promise((resolve) => socket.once('close', resolve));
    await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
    socket.write(upgradeRequest(`/ws?token=${testToken(this.name)}`));
    await this.#aMoment();
    if (this.random.below(2) === 0) socket.destroy();
    else socket.resetAndDestroy();
    await gone;
  }

  async #visit(): Promise<void> {
    const bringsToken = this.random.below(3) > 0;
    const client = await this.node.connect(bringsToken ? this.name : undefined).catch((error: unknown) => {
      this.refusals.push(error);
    });
    if (!client) return;
    const closed = client.nextClose(60_000).catch(() => undefined);
    const sendsToken = !bringsToken && this.random.below(2) === 0;
    if (sendsToken) client.send({ action: 'auth', token: testToken(this.name) });
    const commands = bringsToken || sendsToken ? this.random.below(8) : 0;
    for (let n = 0; n < commands; n++) {
      const command = this.#command();
      if (this.random.below(2) === 0) client.send(command);
      else await Promise.race([client.request(command, 20_000), closed]);
    }
    await this.#aMoment();
    await this.#leave(client);
  }

  #command(): Record<string, unknown> {
    const topic = this.random.pick(TOPICS);
    switch (this.random.below(4)) {
      case 0:
        return { action: 'unsubscribe', topic };
      case 1:
        return { action: 'message', topic, type: 'say', payload: 'hello' };
      default:
        return { action: 'subscribe', topic };
    }
  }

  async #leave(client: TestClient): Promise<void> {
    switch (this.random.below(3)) {
      case 0:
        return client.close();
      case 1:
        return client.socket.terminate();
      default:
        // The peer sees ECONNRESET.
        (client.socket as unknown as { readonly _socket: Socket })._socket.resetAndDestroy();
    }
  }

  async #aMoment(): Promise<void> {
    for (let turns = this.random.below(10); turns > 0; turns--) await nextTurn();
  }
}
