import { Injectable, UseGuards } from '@nestjs/common';
import {
  OnSubscribe,
  RealtimeAuthGuard,
  RequireRoles,
  TopicGateway,
  user,
  type DeliveryReport,
  type RealtimeConnection,
  type RealtimeOptions,
} from 'nestjs-realtime';
import { Clock, ConnectionRegistry, MessageBus, type Envelope } from 'nestjs-realtime/ports';
import { testToken, type ReceivedFrame } from 'nestjs-realtime/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { InMemoryConnectionRegistry } from '../../../lib/adapters/in-memory/in-memory-connection-registry.js';
import { InMemoryMessageBus } from '../../../lib/adapters/in-memory/in-memory-message-bus.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { startRealtimeApp, type Guest, type RealtimeApp } from '../../helpers/realtime-app.js';

const TOPIC = 'secret:1';
/** Connections are looked at five times a second; by default it is once. */
const heartbeat = { intervalMs: 200 };
const PUBLISH_EVERY_MS = 2;
/** How soon a change of rights takes effect, in milliseconds, on a machine that is busy with other things. */
const SOON_MS = 4_000;

@Injectable()
@UseGuards(RealtimeAuthGuard)
@TopicGateway('secret:{id}')
class Secrets {
  @RequireRoles('spy')
  @OnSubscribe()
  join() {
    return true;
  }
}

/** Two connections of one user and one of another, all of them spies on the topic, and a stream of messages to them. */
interface Stage extends RealtimeApp {
  readonly phone: Guest;
  readonly laptop: Guest;
  readonly other: Guest;
}

async function stage(ports: object[] = [], options: RealtimeOptions = {}, claims = {}): Promise<Stage> {
  const app = await startRealtimeApp({
    providers: [Secrets],
    ports: ports as never,
    options: { heartbeat, ...options },
  });
  const enter = async (userId: string, more = {}) => {
    const guest = await app.connectAs(userId, { roles: ['spy'], ...more });
    await guest.request({ action: 'subscribe', topic: TOPIC });
    return guest;
  };
  const guests = { phone: await enter('ann', claims), laptop: await enter('ann'), other: await enter('bob') };
  const timer = setInterval(() => {
    void app.realtime.publish(TOPIC, { type: 'to the topic' });
    void app.realtime.sendToRole('spy', { type: 'to the role' });
    void app.realtime.sendToUser('ann', { type: 'to the user' });
  }, PUBLISH_EVERY_MS);
  onTestFinished(() => clearInterval(timer));
  return { ...app, ...guests };
}

/** Waits until two of the messages that are being published have arrived. */
async function hearsTwo(guest: Guest, type: string): Promise<void> {
  for (let n = 0; n < 2; n++) await guest.next(type);
}

/** The types of the frames that arrive after this one while another client receives more. */
async function typesBehind(guest: Guest, frame: ReceivedFrame, other: Guest): Promise<string[]> {
  for (let n = 0; n < 20; n++) await hearsTwo(other, 'to the role');
  await guest.settled();
  const types = guest.pending.filter(({ timestamp }) => timestamp > frame.timestamp).map(({ type }) => type);
  // A ping comes when its time has come.
  return types.filter((type) => type !== 'realtime:ping');
}

const renew = (guest: Guest, roles: string[]) => guest.request({ action: 'auth', token: testToken('ann', { roles }) });

describe('A connection whose renewed token has lost a role, while messages are being sent', () => {
  it('gets nothing that is sent to the role from then on', async () => {
    const { phone, other } = await stage();
    await hearsTwo(phone, 'to the role');
    const answer = await renew(phone, ['guest']);
    expect(await typesBehind(phone, answer, other)).not.toContain('to the role');
  });

  it('gets nothing more of the topics that need it, once it is told so', async () => {
    const { phone, other } = await stage();
    await renew(phone, ['guest']);
    const told = await phone.next('realtime:unsubscribed', SOON_MS);
    expect(await typesBehind(phone, told, other)).not.toContain('to the topic');
  });

  it('goes on getting what is sent to its user', async () => {
    const { phone, other } = await stage();
    const answer = await renew(phone, ['guest']);
    expect(await typesBehind(phone, answer, other)).toContain('to the user');
  });

  it('takes nothing from another connection of its user', async () => {
    const { phone, laptop, other } = await stage();
    const answer = await renew(phone, ['guest']);
    const types = new Set(await typesBehind(laptop, answer, other));
    expect(types).toEqual(new Set(['to the topic', 'to the role', 'to the user']));
  });

  it('would go on getting what is sent to the role if its first snapshot were kept', async () => {
    class FirstImpressions extends InMemoryConnectionRegistry {
      override set(connection: RealtimeConnection): void {
        if (!this.get(connection.id)) super.set(connection);
      }
    }
    const { phone, other } = await stage([{ provide: ConnectionRegistry, useClass: FirstImpressions }]);
    const answer = await renew(phone, ['guest']);
    expect(await typesBehind(phone, answer, other)).toContain('to the role');
  });
});

describe('A connection whose token expires while messages are being sent', () => {
  const jwt = { secret: 'nothing is signed with this in here', algorithms: ['HS256' as const], clockToleranceS: 0 };

  /** The phone's token is good for a minute; that has just passed. */
  async function expired(options: RealtimeOptions = {}): Promise<Stage> {
    const clock = new ManualClock();
    const claims = { exp: Math.ceil(clock.now() / 1000) + 60 };
    const app = await stage([{ provide: Clock, useValue: clock }], { jwt, ...options }, claims);
    await hearsTwo(app.phone, 'to the topic');
    clock.advance(61_000);
    return app;
  }

  it('is ended soon', async () => {
    const { phone } = await expired();
    expect((await phone.nextClose(SOON_MS)).code).toBe(3005);
  });

  it('gets nothing after that', async () => {
    const { phone, other, realtime } = await expired();
    await phone.nextClose(SOON_MS);
    const got = phone.pending.length;
    await hearsTwo(other, 'to the role');
    expect([phone.pending.length, (await realtime.counts()).connections]).toEqual([got, 2]);
  });

  it('does not take another connection of its user along', async () => {
    const { phone, laptop } = await expired();
    await phone.nextClose(SOON_MS);
    await expect(laptop.settled()).resolves.toBeUndefined();
  });

  it('would go on if expired tokens were allowed', async () => {
    const { phone } = await expired({ authorize: { allowExpired: true } });
    for (let pings = 0; pings < 5; pings++) await phone.next('realtime:ping');
    await expect(phone.settled()).resolves.toBeUndefined();
  });
});

describe('A user who is disconnected while messages are being sent', () => {
  it('gets nothing that is sent after that, on no connection', async () => {
    const { phone, laptop, realtime } = await stage();
    await hearsTwo(laptop, 'to the user');
    await realtime.disconnect(user('ann'));
    const report = await realtime.sendToUser('ann', { type: 'too late' });
    await Promise.all([phone.nextClose(SOON_MS), laptop.nextClose(SOON_MS)]);
    const types = [...phone.pending, ...laptop.pending].map(({ type }) => type);
    expect([report.recipients, types.includes('too late')]).toEqual([0, false]);
  });

  it('is told so soon, on all connections', async () => {
    const { phone, laptop, realtime } = await stage();
    await realtime.disconnect(user('ann'));
    const codes = await Promise.all([phone, laptop].map(async (guest) => (await guest.nextClose(SOON_MS)).code));
    expect(codes).toEqual([3503, 3503]);
  });

  it('does not take others along', async () => {
    const { other, realtime } = await stage();
    await realtime.disconnect(user('ann'));
    await hearsTwo(other, 'to the topic');
    await expect(other.settled()).resolves.toBeUndefined();
  });

  it('would get what is sent after that if the order were lost', async () => {
    class LosingBus extends InMemoryMessageBus {
      override publish(subject: string, envelope: Envelope): DeliveryReport | Promise<DeliveryReport> {
        if (envelope.content.kind === 'disconnect') return { recipients: 2, nodes: 1, complete: true };
        return super.publish(subject, envelope);
      }
    }
    const { phone, realtime } = await stage([{ provide: MessageBus, useClass: LosingBus }]);
    await realtime.disconnect(user('ann'));
    await realtime.sendToUser('ann', { type: 'too late' });
    expect((await phone.next('too late')).type).toBe('too late');
  });
});
