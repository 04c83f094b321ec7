import { describe, expect, it } from 'vitest';
import { collectLogs } from '../../test/helpers/handler-harness.js';
import type { TopicLabels } from '../core/metrics/topic-labels.js';
import type { MetricSample } from '../core/metrics/metric.js';
import { all, topic } from '../core/routing/address.js';
import { NodeMeter } from './node-meter.js';

const TOPICS: TopicLabels = {
  patternOf: (name) => (name.startsWith('chat:') ? 'chat:{room}' : undefined),
  takes: (name, type) => name.startsWith('chat:') && type === 'say',
};

const flat = (samples: readonly MetricSample[]) =>
  samples.map(({ labels, value }) => [...Object.values(labels), value]);

describe('messages', () => {
  it('count once for each connection that they reach', () => {
    const meter = new NodeMeter(TOPICS);
    meter.sent([topic('chat:1')], 3);
    meter.sent([topic('chat:2')], 2);
    meter.sent([all()], 5);
    expect(flat(meter.messagesSent.samples)).toEqual([
      ['topic', 'chat:{room}', 5],
      ['all', 5],
    ]);
  });

  it('of 10,000 topics that no gateway serves make one series', () => {
    const meter = new NodeMeter(TOPICS);
    for (let i = 0; i < 10_000; i++) {
      meter.sent([topic(`t${i}`)], 1);
      meter.received(`t${i}`);
    }
    expect(flat(meter.messagesSent.samples)).toEqual([['topic', '_other', 10_000]]);
    expect(flat(meter.messagesReceived.samples)).toEqual([['topic', '_other', 10_000]]);
  });

  it('that are recovered count, too', () => {
    const meter = new NodeMeter(TOPICS);
    meter.resent('chat:1', 4);
    meter.resent('#user:ann', 2);
    expect(flat(meter.messagesSent.samples)).toEqual([
      ['topic', 'chat:{room}', 4],
      ['user', 2],
    ]);
  });
});

describe('durations', () => {
  it('of commands are labelled with the declared types alone', () => {
    const meter = new NodeMeter(TOPICS);
    const seen: unknown[] = [];
    meter.observe({ handled: (seconds, labels) => void seen.push([seconds, labels]) });
    meter.handled({ action: 'message', topic: 'chat:1', type: 'say' }, 20);
    meter.handled({ action: 'message', topic: 'chat:1', type: 'x'.repeat(50) }, 10);
    meter.handled({ action: 'subscribe', topic: 'nowhere' }, 5);
    expect(seen).toEqual([
      [0.02, { action: 'message', pattern: 'chat:{room}', type: 'say' }],
      [0.01, { action: 'message', pattern: 'chat:{room}', type: '_other' }],
      [0.005, { action: 'subscribe', pattern: '_other' }],
    ]);
  });

  it('of connections have the code of the close', () => {
    const meter = new NodeMeter();
    const seen: unknown[] = [];
    meter.observe({ closed: (seconds, labels) => void seen.push([seconds, labels]) });
    meter.closed(meter.protocol('json'), 3008, true, 1_500);
    meter.closed(meter.protocol('json'), 3502, true);
    expect(seen).toEqual([[1.5, { protocol: 'json', close_code: '3008' }]]);
    expect(flat(meter.closes.samples)).toEqual([
      ['json', '3008', 1],
      ['json', '3502', 1],
    ]);
  });

  it('reach every listener until it stops, even if another one throws', () => {
    const lines = collectLogs();
    const meter = new NodeMeter();
    const seen: number[] = [];
    meter.observe({
      busRoundTrip: () => {
        throw new Error('broken exporter');
      },
    });
    const stop = meter.observe({ busRoundTrip: (seconds) => void seen.push(seconds) });
    meter.busRoundTrip(2);
    stop();
    meter.busRoundTrip(4);
    expect(seen).toEqual([0.002]);
    expect(lines.join('\n')).toContain('broken exporter');
  });
});

it('only errors of known actions and served topics have labels of their own', () => {
  const meter = new NodeMeter(TOPICS);
  meter.failed({ code: 'FORBIDDEN', message: '', action: 'message', topic: 'chat:1' });
  meter.failed({ code: 'UNKNOWN_ACTION', message: '', action: 'made-up' });
  expect(flat(meter.commandErrors.samples)).toEqual([
    ['message', 'chat:{room}', 'FORBIDDEN', 1],
    ['_other', 'UNKNOWN_ACTION', 1],
  ]);
});

it('only reports that were asked for can be incomplete', () => {
  const meter = new NodeMeter();
  const report = { recipients: 0, nodes: 0, complete: false };
  meter.reported(report, false);
  meter.reported(report, true);
  meter.reported({ ...report, complete: true }, true);
  expect(meter.incompleteReports).toBe(1);
});
