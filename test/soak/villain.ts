import { testToken, type TestClient } from 'nestjs-realtime/testing';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Churner } from '../faults/load/churner.js';
import type { SeededRandom } from '../faults/load/seeded-random.js';
import { upgradeRequest } from '../helpers/raw-client.js';
import { NOISY_ROOM, ROOMS } from './rooms.js';
import type { Stage } from './stage.js';

/** Somebody who does everything that clients should not do. */
export class Villain {
  /** How often it has done which. */
  readonly deeds = new Map<string, number>();
  readonly #repertoire: Record<string, () => Promise<void>> = {
    churns: () => new Churner(this.stage.node, this.name, this.random).churn(500 + this.random.below(1_500)),
    'reads slowly': () => this.#connected((client) => this.#readSlowly(client)),
    stalls: () => this.#connected((client) => this.#stall(client)),
    vanishes: () => this.#connected((client) => this.#vanish(client)),
    'talks nonsense': () => this.#connected((client) => this.#talkNonsense(client)),
    floods: () => this.#connected((client) => this.#flood(client)),
    'renews its token': () => this.#connected((client) => this.#renew(client)),
    'brings no token': () => this.#bringNoToken(),
    'sends garbage': () => this.#sendGarbage(),
  };

  constructor(
    private readonly stage: Stage,
    private readonly name: string,
    private readonly random: SeededRandom,
  ) {}

  async misbehave(): Promise<void> {
    const deeds = Object.keys(this.#repertoire);
    while (!this.stage.isOver) {
      const deed = this.random.pick(deeds);
      this.deeds.set(deed, (this.deeds.get(deed) ?? 0) + 1);
      await this.#repertoire[deed]!();
      await this.stage.pause(this.random.below(500));
    }
  }

  async #connected(work: (client: TestClient) => Promise<void>): Promise<void> {
    const client = await this.stage.node.connect(this.name).catch(() => undefined);
    if (!client) return;
    await work(client);
    client.socket.terminate();
  }

  async #readSlowly(client: TestClient): Promise<void> {
    client.send({ action: 'subscribe', topic: NOISY_ROOM });
    for (let times = this.random.below(5); times > 0 && !this.stage.isOver; times--) {
      client.socket.pause();
      await this.stage.pause(1_000);
      client.socket.resume();
      await this.stage.pause(50);
    }
  }

  async #stall(client: TestClient): Promise<void> {
    client.send({ action: 'subscribe', topic: NOISY_ROOM });
    client.socket.pause();
    await this.stage.pause(2_000 + this.random.below(10_000));
  }

  async #vanish(client: TestClient): Promise<void> {
    for (const topic of ROOMS) client.send({ action: 'subscribe', topic });
    await this.stage.pause(this.random.below(20));
    (client.socket as unknown as { readonly _socket: Socket })._socket.resetAndDestroy();
  }

  async #talkNonsense(client: TestClient): Promise<void> {
    const nonsense = [
      '{',
      '[]',
      '{"action":"fly"}',
      `${'['.repeat(40)}${']'.repeat(40)}`,
      '"\\ud800"',
      'null',
      '{"id":-0}',
    ];
    for (let times = 0; times < 40; times++) {
      client.send(this.random.pick(nonsense));
      if (this.random.below(10) === 0) await this.stage.pause(20);
    }
  }

  async #flood(client: TestClient): Promise<void> {
    for (let times = 0; times < 500; times++) client.send({ action: 'ping', id: times });
    await this.stage.pause(100);
  }

  async #renew(client: TestClient): Promise<void> {
    const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;
    for (const topic of ROOMS) client.send({ action: 'subscribe', topic });
    for (const roles of [['a'], ['b', 'c'], []]) {
      client.send({
        action: 'auth',
        token: testToken(this.name, { roles, exp: inSeconds(this.random.below(10) - 3) }),
      });
      await this.stage.pause(this.random.below(300));
    }
    client.send({ action: 'auth', token: testToken('somebody else') });
    await this.stage.pause(this.random.below(3_000));
  }

  async #bringNoToken(): Promise<void> {
    const client = await this.stage.node.connect().catch(() => undefined);
    await this.stage.pause(this.random.below(5_000));
    client?.socket.terminate();
  }

  /** Instead of a request, or behind one. */
  async #sendGarbage(): Promise<void> {
    const socket = connect(this.stage.node.port, '127.0.0.1').on('error', () => undefined);
    const closed = once(socket, 'close').catch(() => undefined);
    if (this.random.below(2) === 0) socket.write(upgradeRequest(`/ws?token=${testToken(this.name)}`));
    socket.write(Buffer.from(Array.from({ length: 1 + this.random.below(200) }, () => this.random.below(256))));
    await Promise.race([closed, this.stage.pause(this.random.below(1_000))]);
    socket.destroy();
  }
}
