import { Injectable } from '@nestjs/common';
import { Authenticator, RealtimeModule, type Authenticated } from 'nestjs-realtime';
import { MessageBus, type Envelope } from 'nestjs-realtime/ports';
import { testToken } from 'nestjs-realtime/testing';
import { describe, expect, it } from 'vitest';
import { InMemoryMessageBus } from '../../../lib/adapters/in-memory/in-memory-message-bus.js';
import { listen, TEST_TOKENS, type ListeningApp } from '../../helpers/listening-app.js';

/** A bus that takes its time to join the subjects of users, until it is let go. */
@Injectable()
class HeldBus extends MessageBus {
  readonly #bus = new InMemoryMessageBus();
  readonly #held: (() => void)[] = [];
  #onHeld: () => void = () => undefined;
  readonly holding = new Promise<void>((resolve) => (this.#onHeld = resolve));

  get isAttached(): boolean {
    return this.#bus.isAttached;
  }

  open(...args: Parameters<MessageBus['open']>) {
    return this.#bus.open(...args);
  }

  async join(subject: string) {
    if (subject.startsWith('user:')) {
      await new Promise<void>((resolve) => {
        this.#held.push(resolve);
        this.#onHeld();
      });
    }
    return this.#bus.join(subject);
  }

  leave(subject: string) {
    return this.#bus.leave(subject);
  }

  publish(subject: string, envelope: Envelope) {
    return this.#bus.publish(subject, envelope);
  }

  ask: MessageBus['ask'] = (subject, question) => this.#bus.ask(subject, question);

  close() {
    return this.#bus.close();
  }

  letGo(): void {
    this.#held.splice(0).forEach((go) => go());
  }
}

async function listenHeld(): Promise<{ readonly app: ListeningApp; readonly bus: HeldBus }> {
  const realtime = RealtimeModule.forRoot({
    token: { firstCommand: true },
    providers: [TEST_TOKENS, { provide: MessageBus, useClass: HeldBus }],
  });
  const app = await listen({ imports: [realtime] });
  return { app, bus: app.app.get<HeldBus>(MessageBus) };
}

describe('While the rights and topics of the welcome are not active', () => {
  it('a message to everybody waits behind the welcome', async () => {
    const { app, bus } = await listenHeld();
    const client = await app.connect({ token: testToken('ann') });
    await bus.holding;
    await app.realtime.broadcast({ type: 'early' });
    bus.letGo();
    expect([(await client.next()).type, (await client.next()).type]).toEqual(['realtime:welcome', 'early']);
  });

  it('a ping is answered behind the welcome', async () => {
    const { app, bus } = await listenHeld();
    const client = await app.connect({ token: testToken('ann') });
    client.send({ action: 'ping', id: 1 });
    await bus.holding;
    bus.letGo();
    expect([(await client.next()).type, (await client.next()).type]).toEqual(['realtime:welcome', 'realtime:pong']);
  });

  it('what comes right behind the first command is not handled before it', async () => {
    const { app, bus } = await listenHeld();
    const client = await app.connect();
    client.send({ action: 'auth', id: 1, token: testToken('ann') });
    client.send('no JSON');
    client.send({ action: 'ping', id: 2 });
    await bus.holding;
    bus.letGo();
    const types = [];
    for (let i = 0; i < 4; i++) types.push((await client.next()).type);
    expect(types).toEqual(['realtime:authenticated', 'realtime:welcome', 'realtime:error', 'realtime:pong']);
  });
});

describe('An authenticator of the application', () => {
  it('needs neither a verifier nor the options of one', async () => {
    @Injectable()
    class ByName extends Authenticator {
      authenticate(token: string): Promise<Authenticated> {
        return Promise.resolve({ identity: { userId: token, roles: new Set(), permissions: new Set(), metadata: {} } });
      }
    }
    const realtime = RealtimeModule.forRoot({ providers: [{ provide: Authenticator, useClass: ByName }] });
    const client = await (await listen({ imports: [realtime] })).connect({ token: 'ann' });
    expect((await client.next('realtime:welcome')).payload.userId).toBe('ann');
  });
});
