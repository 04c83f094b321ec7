import type { RealtimeOptions } from 'nestjs-realtime';
import { Clock } from 'nestjs-realtime/ports';
import { connectionAgeMs } from 'nestjs-realtime/core';
import type { TestClient } from 'nestjs-realtime/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Liveness } from '../../../lib/core/connection/liveness.js';
import { CommandAllowance, type CommandRate } from '../../../lib/core/protocol/command-allowance.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { startRealtimeApp, type Guest, type RealtimeApp } from '../../helpers/realtime-app.js';

const HOUR_MS = 3_600_000;
const heartbeat = { intervalMs: 100, timeoutMs: 200 };

interface Stage extends RealtimeApp {
  readonly clock: ManualClock;
}

async function stage(options: RealtimeOptions = {}): Promise<Stage> {
  const clock = new ManualClock();
  const ports = [{ provide: Clock, useValue: clock }];
  return { ...(await startRealtimeApp({ ports, options: { heartbeat, ...options } })), clock };
}

/** Somebody whose token is good for so long, as the clock says now. */
function connectFor({ clock, connectAs }: Stage, userId: string, ms: number): Promise<Guest> {
  return connectAs(userId, { exp: Math.floor((clock.now() + ms) / 1000) });
}

/**
 * Resolves with how a client was closed; or with nothing, after so many pings that it would have come to that.
 * @param pinged who gets the pings
 */
function fate(client: TestClient, pinged = client): Promise<number | undefined> {
  const survive = async () => {
    for (let pings = 0; pings < 5; pings++) await pinged.next('realtime:ping', 20_000);
    return undefined;
  };
  return Promise.race([survive(), client.nextClose(20_000).then(({ code }) => code)]);
}

/** The answers to so many pings, sent at once. */
async function pingTimes(client: TestClient, count: number): Promise<(string | undefined)[]> {
  const answers = await Promise.all(Array.from({ length: count }, () => client.request({ action: 'ping' })));
  return answers.map(({ type, payload }) => payload?.code ?? type);
}

const PONGS = (count: number) => Array.from({ length: count }, () => 'realtime:pong');

describe.each([
  ['forward', HOUR_MS],
  ['back', -HOUR_MS],
])('When the clock jumps an hour %s', (_direction, jumpMs) => {
  it('nobody is disconnected whose token is still good', async () => {
    const app = await stage();
    const guests = await Promise.all(Array.from({ length: 10 }, (_, n) => connectFor(app, `user-${n}`, 24 * HOUR_MS)));
    app.clock.advance(jumpMs);
    expect(await Promise.all(guests.map((guest) => fate(guest)))).toEqual(guests.map(() => undefined));
  });

  it('nobody is disconnected who is about to send a token', async () => {
    const app = await stage({ token: { firstCommand: true } });
    const [stranger, guest] = [await app.connect(), await connectFor(app, 'ann', 24 * HOUR_MS)];
    app.clock.advance(jumpMs);
    expect(await fate(stranger, guest)).toBeUndefined();
  });

  it('no connection has a negative age', async () => {
    const app = await stage();
    await connectFor(app, 'before', 24 * HOUR_MS);
    app.clock.advance(jumpMs);
    await connectFor(app, 'after', 24 * HOUR_MS);
    const connections = [
      ...(await app.realtime.connectionsOf('before')),
      ...(await app.realtime.connectionsOf('after')),
    ];
    const ages = connections.map((connection) => connectionAgeMs(connection, new Date(app.clock.now())));
    expect(ages).toEqual([Math.max(0, jumpMs), 0]);
  });

  it('who has used up all commands gets new ones as fast as ever', async () => {
    const app = await stage({ limits: { commandsPerSecond: 20, commandBurst: 20 } });
    const guest = await connectFor(app, 'ann', 24 * HOUR_MS);
    await pingTimes(guest, 21);
    app.clock.advance(jumpMs);
    await pingTimes(guest, 21);
    app.clock.advance(1_000);
    expect(await pingTimes(guest, 21)).toEqual([...PONGS(20), 'RATE_LIMITED']);
  });

  it('as many are let in per second as ever', async () => {
    const app = await stage({ limits: { acceptsPerSecond: 2 } });
    const come = () => connectFor(app, 'ann', 24 * HOUR_MS);
    await Promise.all([come(), come()]);
    app.clock.advance(jumpMs);
    await Promise.allSettled([come(), come()]);
    app.clock.advance(1_000);
    const fates = await Promise.allSettled([come(), come(), come()]);
    expect(fates.map(({ status }) => status).sort()).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  });
});

describe('When the clock jumps an hour forward', () => {
  it('those are disconnected whose token has expired by that, and nobody else', async () => {
    const app = await stage();
    const [short, long] = [await connectFor(app, 'ann', HOUR_MS / 2), await connectFor(app, 'bob', HOUR_MS * 2)];
    app.clock.advance(HOUR_MS);
    expect([await fate(short), await fate(long)]).toEqual([3005, undefined]);
  });
});

describe('If the clock were trusted', () => {
  it('a jump forward would disconnect everybody', async () => {
    const app = await stage();
    const heardAt = new WeakMap<Liveness, number>();
    const tick = vi.spyOn(Liveness.prototype, 'tick').mockImplementation(function (this: Liveness) {
      if (!heardAt.has(this)) heardAt.set(this, app.clock.now());
      return app.clock.now() - heardAt.get(this)! > 35_000 ? 'dead' : 'ping';
    });
    onTestFinished(() => tick.mockRestore());
    const guest = await connectFor(app, 'ann', 24 * HOUR_MS);
    await guest.next('realtime:ping');
    app.clock.advance(HOUR_MS);
    expect(await fate(guest)).toBe(3012);
  });

  it('a jump back would keep everybody from doing anything for an hour', async () => {
    const app = await stage({ limits: { commandsPerSecond: 20, commandBurst: 20 } });
    const filled = new WeakMap<CommandAllowance, { tokens: number; at: number }>();
    const take = vi.spyOn(CommandAllowance.prototype, 'take').mockImplementation(function (
      this: CommandAllowance,
      now,
    ) {
      const { perSecond, burst } = (this as unknown as { readonly rate: CommandRate }).rate;
      if (burst === Infinity) return 0;
      const { tokens, at } = filled.get(this) ?? { tokens: burst, at: now };
      const refilled = Math.min(burst, tokens + ((now - at) * perSecond) / 1000);
      filled.set(this, { tokens: refilled < 1 ? refilled : refilled - 1, at: now });
      return refilled < 1 ? 50 : 0;
    });
    onTestFinished(() => take.mockRestore());
    const guest = await connectFor(app, 'ann', 24 * HOUR_MS);
    await pingTimes(guest, 21);
    app.clock.advance(-HOUR_MS);
    await pingTimes(guest, 1);
    app.clock.advance(1_000);
    expect(new Set(await pingTimes(guest, 20))).toEqual(new Set(['RATE_LIMITED']));
  });
});
