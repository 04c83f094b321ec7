import { CurrentConnection, OnMessage, TopicGateway, type RealtimeConnection } from 'nestjs-realtime';
import { Clock } from 'nestjs-realtime/ports';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { AllowancePool } from '../../../lib/core/protocol/allowance-pool.js';
import { ClientAllowance } from '../../../lib/core/protocol/client-allowance.js';
import { commandRateOf } from '../../../lib/core/protocol/command-allowance.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { commandFrame } from '../../helpers/raw-frames.js';
import { NO_HARM, Scene } from '../../helpers/scene.js';

/** The number of commands that were carried out, by user. */
let handled: Map<string, number>;

@TopicGateway('desk')
class DeskTopic {
  @OnMessage('count', { requireSubscription: false })
  count(@CurrentConnection() { userId }: RealtimeConnection) {
    handled.set(userId, (handled.get(userId) ?? 0) + 1);
  }
}

beforeEach(() => {
  handled = new Map();
});

const COMMANDS = 100;
const VISITS = 8;
const LIMITS = { maxConnectionsPerUser: 2, acceptsPerSecond: Infinity };

/** Connects again and again, and sends as much as one may at once each time, in no time. */
async function flood(userId: string): Promise<Scene> {
  const scene = await Scene.set({
    providers: [DeskTopic],
    options: { limits: LIMITS },
    ports: [{ provide: Clock, useValue: new ManualClock() }],
  });
  const commands = Array.from({ length: COMMANDS }, (_, id) =>
    commandFrame({ action: 'message', topic: 'desk', type: 'count', id }),
  );
  for (let visit = 0; visit < VISITS; visit++) {
    const guest = await scene.raw({ userId });
    await guest.write(Buffer.concat(commands));
    await guest.answer(COMMANDS - 1);
    const end = scene.endOf(guest);
    guest.client.socket.destroy();
    await end;
  }
  return scene;
}

describe('a user who connects again for each burst of commands', () => {
  it('can send what as many connections at once could, and others what they ever could', async () => {
    const scene = await flood('bad');
    const guest = await scene.raw({ userId: 'bad-neighbour' });
    await guest.write(commandFrame({ action: 'message', topic: 'desk', type: 'count', id: 1 }));
    await guest.answer(1);
    expect([handled.get('bad'), handled.get('bad-neighbour')]).toEqual([2 * COMMANDS, 1]);
    expect(await scene.harm()).toEqual(NO_HARM);
  });

  it('twin: can send a burst more each time when every connection has an allowance of its own', async () => {
    const { maxConnectionsPerUser: _, ...limits } = { ...LIMITS, commandsPerSecond: 20, commandBurst: 100 };
    const total = { perSecond: 500, burst: 500 };
    const rate = { ...commandRateOf({ ...limits, maxTopicsPerConnection: 128 }), total };
    const take = vi.spyOn(AllowancePool.prototype, 'take').mockImplementation(() => new ClientAllowance(rate, 0));
    onTestFinished(() => take.mockRestore());
    await flood('bad');
    expect(handled.get('bad')).toBe(VISITS * COMMANDS);
  });
});
