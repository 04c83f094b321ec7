import { Controller, Get, Injectable, type OnModuleInit } from '@nestjs/common';
import { HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { RealtimeService, type RealtimeHealth } from 'nestjs-realtime';
import { MessageBus } from 'nestjs-realtime/ports';
import { RealtimeHealthIndicator } from 'nestjs-realtime/terminus';
import { TestClient, testToken } from 'nestjs-realtime/testing';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { InMemoryMessageBus } from '../../../lib/adapters/in-memory/in-memory-message-bus.js';
import { startRealtimeApp } from '../../helpers/realtime-app.js';

/** The codes of the reasons; a machine that is busy with other things does not count. */
const codesOf = ({ reasons }: RealtimeHealth) =>
  reasons.map(({ code }) => code).filter((code) => code !== 'EVENT_LOOP_LATE');

/** A bus that can be cut off. */
class CutBus extends InMemoryMessageBus {
  isCut = false;

  override get isAttached(): boolean {
    return !this.isCut && super.isAttached;
  }
}

describe('The health of a node', () => {
  it('is down while it starts, and up once it runs', async () => {
    let early: RealtimeHealth | undefined;

    @Injectable()
    class Eager implements OnModuleInit {
      constructor(private readonly realtime: RealtimeService) {}

      onModuleInit(): void {
        early = this.realtime.health();
      }
    }

    const { realtime } = await startRealtimeApp({ ports: [Eager] });
    expect(early).toMatchObject({ status: 'down', reasons: [{ code: 'STARTING' }] });
    expect(codesOf(realtime.health())).toEqual([]);
  });

  it('is down while it drains, since the drain began, and after the close', async () => {
    const { realtime, close, connectAs } = await startRealtimeApp({ finished: () => undefined });
    await connectAs('ann');
    const before = Date.now();
    const drained = realtime.drain();
    const { status, reasons } = realtime.health();
    expect([status, reasons[0]?.code]).toEqual(['down', 'DRAINING']);
    expect(reasons[0]!.since.getTime()).toBeGreaterThanOrEqual(before);
    await drained;
    await close();
    expect(realtime.health()).toMatchObject({ status: 'down', reasons: [{ code: 'CLOSED' }] });
  });

  it('is degraded while it is detached, since it was', async () => {
    const { realtime, app } = await startRealtimeApp({ ports: [{ provide: MessageBus, useClass: CutBus }] });
    const bus = app.get<CutBus>(MessageBus);
    bus.isCut = true;
    const first = realtime.health();
    expect([first.status, codesOf(first)]).toEqual(['degraded', ['DETACHED']]);
    expect(realtime.health().reasons[0]?.since).toEqual(first.reasons[0]?.since);
    bus.isCut = false;
    expect(codesOf(realtime.health())).toEqual([]);
  });

  it('is degraded while the send queues take nearly all that they may', async () => {
    const limits = { sendQueueBytes: 8_000_000, totalSendQueueBytes: 8_000_000, writeStallMs: 60_000 };
    const { realtime, connect } = await startRealtimeApp({ options: { limits } });
    const slow: TestClient = await connect({ token: testToken('ann') });
    slow.socket.pause();
    const payload = 'x'.repeat(50_000);
    await expect
      .poll(
        async () => {
          await realtime.sendToUser('ann', { type: 'big', payload });
          return codesOf(realtime.health());
        },
        { interval: 1 },
      )
      .toEqual(['SEND_BUDGET_SPENT']);
    slow.socket.terminate();
    await expect.poll(() => codesOf(realtime.health())).toEqual([]);
  });
});

@Controller('health')
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly realtime: RealtimeHealthIndicator,
  ) {}

  @Get()
  check() {
    return this.health.check([() => this.realtime.isHealthy('realtime')]);
  }

  @Get('strict')
  checkStrictly() {
    return this.health.check([() => this.realtime.isHealthy('realtime', { detached: 'down' })]);
  }
}

describe('The indicator for Terminus', () => {
  async function start() {
    const started = await startRealtimeApp({
      imports: [TerminusModule.forRoot({ logger: false })],
      controllers: [HealthController],
      providers: [RealtimeHealthIndicator],
      ports: [{ provide: MessageBus, useClass: CutBus }],
    });
    const ask = async (path = '') => {
      const response = await fetch(`${started.url}/health${path}`);
      const { details } = (await response.json()) as { details: { realtime: { status: string; reasons?: object[] } } };
      return { http: response.status, ...details.realtime };
    };
    return { bus: started.app.get<CutBus>(MessageBus), ask, realtime: started.realtime };
  }

  /** Terminus 11 knows no `degraded`. */
  const { version } = JSON.parse(readFileSync('node_modules/@nestjs/terminus/package.json', 'utf8')) as {
    version: string;
  };
  const degraded = version.startsWith('11.') ? 'up' : 'degraded';

  it('is up for a node that is well', async () => {
    const { ask } = await start();
    expect(await ask()).toMatchObject({ http: 200, status: expect.not.stringMatching('down') });
  });

  it('tells the reasons of a node that is degraded, and answers 200', async () => {
    const { ask, bus } = await start();
    bus.isCut = true;
    const since = expect.stringMatching(/^\d{4}-\d\d-\d\dT/);
    const reason = { code: 'DETACHED', message: expect.any(String), since };
    expect(await ask()).toMatchObject({ http: 200, status: degraded, reasons: [reason] });
  });

  it('answers 503 for a detached node where that is wanted', async () => {
    const { ask, bus } = await start();
    expect(await ask('/strict')).toMatchObject({ http: 200 });
    bus.isCut = true;
    expect(await ask('/strict')).toMatchObject({ http: 503, status: 'down' });
  });

  it('answers 503 while the node drains', async () => {
    const { ask, realtime } = await start();
    await realtime.drain();
    expect(await ask()).toMatchObject({ http: 503, status: 'down', reasons: [{ code: 'DRAINING' }] });
  });
});
