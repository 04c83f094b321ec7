import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OnMessage, OnSubscribe, RealtimeService, TopicGateway, MessageBody, TopicName } from 'nestjs-realtime';
import { RealtimeOtelModule, type RealtimeOtelOptions } from 'nestjs-realtime/otel';
import { testToken } from 'nestjs-realtime/testing';
import { describe, expect, it } from 'vitest';
import { DURATIONS, METRICS } from '../../../lib/core/metrics/metrics.js';
import { manageContexts, OtelInMemory, within } from '../../helpers/otel.js';
import { startRealtimeApp, type RealtimeAppParts } from '../../helpers/realtime-app.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const TRACEPARENT = `00-${TRACE}-00f067aa0ba902b7-01`;

@TopicGateway('chat:{room}')
class Chat {
  constructor(private readonly realtime: RealtimeService) {}

  @OnSubscribe()
  enter() {
    return true;
  }

  @OnMessage('say')
  async say(@MessageBody() payload: unknown, @TopicName() topic: string) {
    await new Promise((resolve) => setImmediate(resolve));
    await this.realtime.publish(topic, { type: 'said', payload });
  }

  @OnMessage('fail')
  fail() {
    throw new Error('on purpose');
  }
}

async function start(options: RealtimeOtelOptions = {}, parts: RealtimeAppParts = {}) {
  manageContexts();
  const otel = new OtelInMemory();
  const { meterProvider, tracerProvider } = otel;
  const module = RealtimeOtelModule.forRoot({ meterProvider, tracerProvider, ...options });
  const app = await startRealtimeApp({ providers: [Chat], imports: [module], ...parts });
  const join = async (userId = 'ann') => {
    const client = await app.connectAs(userId);
    await client.request({ action: 'subscribe', topic: 'chat:1' });
    return client;
  };
  return { ...app, otel, join };
}

describe('Metrics of OpenTelemetry', () => {
  it('are those of RealtimeMetrics, and histograms of durations', async () => {
    const { otel, join, realtime } = await start();
    await join();
    await realtime.publish('chat:1', { type: 'news' });
    const metrics = await otel.collect();
    expect(metrics.get('realtime.connections')).toEqual(['json = 1']);
    expect(metrics.get('realtime.messages.sent')).toEqual(['topic,chat:{room} = 1']);
    expect(metrics.get('realtime.command.duration')).toEqual(['subscribe,chat:{room} = 1']);
    const known = [...Object.values(METRICS), ...Object.values(DURATIONS)].map(({ name }) => name as string);
    expect([...metrics.keys()].filter((name) => !known.includes(name))).toEqual([]);
  });

  it('are not exported if they are not wanted', async () => {
    const { otel, join } = await start({ metrics: false });
    await join();
    expect([...(await otel.collect()).keys()]).toEqual([]);
  });
});

describe('A trace', () => {
  it('has a span for an upgrade, with its status, that continues the trace of the request', async () => {
    const { otel, connect } = await start();
    await connect({ token: testToken('ann'), headers: { traceparent: TRACEPARENT } });
    await connect({ token: 'nonsense' }).catch(() => undefined);
    await expect.poll(() => otel.named('upgrade').length).toBe(2);
    const [admitted, refused] = otel.named('upgrade');
    expect(admitted).toMatchObject({ kind: SpanKind.SERVER, attributes: { 'realtime.protocol': 'json' } });
    expect(admitted?.spanContext().traceId).toBe(TRACE);
    expect(refused?.spanContext().traceId).not.toBe(TRACE);
    expect([admitted, refused].map((span) => span?.attributes['http.response.status_code'])).toEqual([101, 401]);
  });

  it('of a command is linked to its upgrade, and has the publish of its handler', async () => {
    const { otel, join } = await start();
    const ann = await join();
    await ann.request({ action: 'message', topic: 'chat:1', type: 'say', payload: 1 });
    await expect.poll(() => otel.named('message chat:{room} say').length).toBe(1);
    const [upgrade] = otel.named('upgrade');
    const [command] = otel.named('message chat:{room} say');
    const [publish] = otel.named('publish chat:{room}');
    expect(command?.links.map((link) => link.context.spanId)).toEqual([upgrade?.spanContext().spanId]);
    expect(command?.parentSpanContext).toBeUndefined();
    expect(publish?.parentSpanContext?.spanId).toBe(command?.spanContext().spanId);
    expect(publish).toMatchObject({
      kind: SpanKind.PRODUCER,
      attributes: { 'realtime.address': 'topic', 'realtime.pattern': 'chat:{room}', 'realtime.recipients': 1 },
    });
  });

  it('of a command continues that of the client, and ignores what is no traceparent', async () => {
    const { otel, join } = await start();
    const ann = await join();
    const say = (traced: unknown) => {
      return ann.request({
        action: 'message',
        topic: 'chat:1',
        type: 'say',
        ...(traced !== undefined && { trace: traced }),
      });
    };
    const hostile = [
      7,
      {},
      ['x'],
      '',
      'x'.repeat(10_000),
      TRACEPARENT.toUpperCase(),
      `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01`,
    ];
    for (const each of [TRACEPARENT, ...hostile]) expect((await say(each)).type).toBe('realtime:reply');
    await expect.poll(() => otel.named('message chat:{room} say').length).toBe(1 + hostile.length);
    const [first, ...others] = otel.named('message chat:{room} say').map((span) => span.spanContext().traceId);
    expect([first, others.includes(TRACE)]).toEqual([TRACE, false]);
  });

  it('of a command that fails has its error code', async () => {
    const { otel, join } = await start();
    const ann = await join();
    await ann.request({ action: 'message', topic: 'chat:1', type: 'fail' });
    await ann.request({ action: 'message', topic: 'chat:1', type: 'made-up' });
    await expect.poll(() => otel.named('message chat:{room} _other').length).toBe(1);
    const failed = otel.spans.filter(({ status }) => status.code === SpanStatusCode.ERROR);
    expect(failed.map(({ name, attributes }) => [name, attributes['error.type']])).toEqual([
      ['message chat:{room} fail', 'INTERNAL'],
      ['message chat:{room} _other', 'NO_HANDLER'],
    ]);
  });

  it('of a publish belongs to the active span of the application', async () => {
    const { otel, realtime } = await start();
    const span = otel.tracerProvider.getTracer('app').startSpan('POST /orders');
    await within(trace.setSpan(ROOT_CONTEXT, span), () => realtime.broadcast({ type: 'news' }));
    expect(otel.named('publish all')[0]?.parentSpanContext?.spanId).toBe(span.spanContext().spanId);
  });

  it('of a publish that is refused has the error, which is thrown as without it', async () => {
    const { otel, realtime } = await start();
    await expect(realtime.publish('', { type: 'news' })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    await expect(realtime.to(undefined as never).send({ type: 'news' })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    });
    await expect(realtime.broadcast({ type: '' })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    expect(otel.named('publish all')[0]?.attributes['error.type']).toBe('VALIDATION_FAILED');
  });

  it('has no span for a connection or a recipient', async () => {
    const { otel, join, realtime } = await start();
    for (const user of ['a', 'b', 'c', 'd', 'e']) await join(user);
    const before = otel.spans.length;
    await realtime.publish('chat:1', { type: 'news' });
    expect(otel.spans.length - before).toBe(1);
  });

  it('is not made if it is not wanted', async () => {
    const { otel, join } = await start({ trace: false });
    await join();
    expect(otel.spans).toEqual([]);
  });
});

describe('The context of a trace', () => {
  it('stays on the servers by default', async () => {
    const { join, realtime } = await start();
    const ann = await join();
    await realtime.publish('chat:1', { type: 'news' });
    expect(await ann.next('news')).not.toHaveProperty('trace');
  });

  it('comes with messages where that is wanted', async () => {
    const { otel, join, realtime } = await start({ trace: { frames: true } });
    const ann = await join();
    await realtime.publish('chat:1', { type: 'news' });
    await realtime.sendToUser('ann', { type: 'note' });
    const [news, note] = [await ann.next('news'), await ann.next('note')];
    const ids = ['publish chat:{room}', 'publish user'].map((name) => otel.named(name)[0]!.spanContext());
    expect([news, note].map((frame) => (frame as { trace?: string }).trace)).toEqual(
      ids.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`),
    );
  });
});

it('Without an SDK nothing is traced, and everything works', async () => {
  const app = await startRealtimeApp({
    providers: [Chat],
    imports: [RealtimeOtelModule.forRoot({ trace: { frames: true } })],
  });
  const ann = await app.connectAs('ann');
  await ann.request({ action: 'subscribe', topic: 'chat:1' });
  await ann.request({ action: 'message', topic: 'chat:1', type: 'say', payload: 'hi' });
  expect(await ann.next('said')).toMatchObject({ payload: 'hi' });
});
