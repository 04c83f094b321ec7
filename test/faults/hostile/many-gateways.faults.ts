import { CurrentConnection, OnMessage, TopicGateway, type RealtimeConnection } from 'nestjs-realtime';
import { Clock } from 'nestjs-realtime/ports';
import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../helpers/manual-clock.js';
import { commandFrame } from '../../helpers/raw-frames.js';
import { NO_HARM, Scene } from '../../helpers/scene.js';

/** The number of messages of bad clients that were carried out. */
let handled: number;

const LIMITS = { commandsPerSecond: 60, commandBurst: 60 };
const GATEWAYS = 6;

/** Gateways with a rate limit of their own, all declared with the same object. */
function gatewayOf(name: string) {
  @TopicGateway(`${name}:{id}`, { limits: LIMITS })
  class Gateway {
    @OnMessage('move', { requireSubscription: false })
    move(@CurrentConnection() { userId }: RealtimeConnection) {
      if (userId.startsWith('bad')) handled += 1;
    }
  }
  return Gateway;
}

const names = Array.from({ length: GATEWAYS }, (_, n) => `cursor${n}`);

beforeEach(() => {
  handled = 0;
});

/** Sends 60 messages to each gateway at once, each to a topic of its own, and then waits until all were answered. */
async function flood(totalCommandsPerSecond: number): Promise<Scene> {
  const scene = await Scene.set({
    providers: names.map(gatewayOf),
    options: { limits: { totalCommandsPerSecond, maxViolationsPerMinute: Infinity } },
    ports: [{ provide: Clock, useValue: new ManualClock() }],
  });
  const guest = await scene.raw();
  for (const [at, name] of names.entries()) {
    const moves = Array.from({ length: 60 }, (_, n) =>
      commandFrame({ action: 'message', topic: `${name}:${n}`, type: 'move', id: `${at} ${n}` }),
    );
    await scene.during(async () => {
      await guest.write(Buffer.concat(moves));
      await guest.answer(`${at} 59`);
    });
  }
  return scene;
}

describe('a client that floods every gateway with a rate limit of its own', () => {
  it('is held to totalCommandsPerSecond over all of them', async () => {
    const scene = await flood(100);
    expect(handled).toBe(100);
    expect(await scene.harm()).toEqual(NO_HARM);
  });

  it('twin: has as much as all of them together without that limit', async () => {
    await flood(Infinity);
    expect(handled).toBe(GATEWAYS * 60);
  });
});
