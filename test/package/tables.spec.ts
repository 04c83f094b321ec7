import { CLOSE_CODES, ERROR_CODES, isErrorCode, type ErrorCode } from 'nestjs-realtime/core';
import { describe, expect, it } from 'vitest';
import { prometheusName } from '../../lib/adapters/prometheus/prometheus-name.js';
import { numberedError } from '../../lib/codecs/centrifuge/error-number.js';
import { METHODS } from '../../lib/codecs/centrifuge/method.js';
import { updateIntervalOf } from '../../lib/core/pace/delivery-options.js';
import { HEALTH_REASONS } from '../../lib/core/metrics/health.js';
import { DURATIONS, METRICS } from '../../lib/core/metrics/metrics.js';
import { redisSettingsOf } from '../../lib/adapters/redis/connection/redis-options.js';
import { inspectorSettingsOf } from '../../lib/inspector/inspector-options.js';
import { TOPIC_GATEWAY_OPTIONS } from '../../lib/decorators/topic-gateway.decorator.js';
import { assertOptions } from '../../lib/options/realtime.options-schema.js';
import { RealtimeSettings } from '../../lib/options/realtime.options.js';
import { codesIn, prose, tableOf } from './markdown.js';
import { DOCUMENTS, read } from './repository.js';

const limitsPage = read('docs/reference/limits.md');
const optionsPage = read('docs/reference/options.md');
const settings = new RealtimeSettings({});

/** The option names listed in the error for an unknown option. */
function optionNames(check: (unknown: object) => unknown): string[] {
  try {
    check({ nonsense: 1 });
  } catch (error) {
    return /the options are: ([\w, ]+)/
      .exec((error as Error).message)![1]!
      .split(', ')
      .sort();
  }
  throw new Error('An option was taken that there is not.');
}

/** `65,536`, `25_000` and `Infinity` as numbers. */
function number(text: string): number {
  return Number(text.replaceAll(/[,_]/g, ''));
}

/** `10_000`, `true` and `false` as they stand in code. */
function literal(text: string): unknown {
  return JSON.parse(text.replaceAll('_', ''));
}

/** The limits whose defaults are no fixed numbers. */
const DEPENDS_ON_HEAP = ['totalSendQueueBytes', 'totalMailboxBytes'];

/** Each limit that the page lists with the default it gives; a row may hold several. */
const limits = tableOf(limitsPage, 'limit').flatMap(([names = '', defaults = '', effect = '']) => {
  const values = defaults.split(', ');
  return codesIn(names).map((name, at) => ({ name, value: values[at] ?? '', effect }));
});

describe('the table of limits', () => {
  it('lists exactly those of the schema', () => {
    expect(limits.map(({ name }) => name).sort()).toEqual(optionNames((limit) => assertOptions({ limits: limit })));
  });

  it.each(limits.filter(({ name }) => !DEPENDS_ON_HEAP.includes(name)))(
    'tells the default of $name',
    ({ name, value }) => {
      expect(number(value)).toBe(settings.limits[name as keyof typeof settings.limits]);
    },
  );

  it.each(limits)('names only codes that exist as what happens above $name', ({ effect }) => {
    const standard = [1002, 1007, 1008, 1009];
    const closeCodes = [...standard, ...Object.values(CLOSE_CODES).map(({ code }) => code)];
    const statuses = [429, 503];
    const numbers = (effect.match(/\b[1-9]\d{2,3}\b/g) ?? []).map(Number);
    expect(numbers.filter((code) => ![...closeCodes, ...statuses].includes(code))).toEqual([]);
    expect(codesIn(effect).filter((code) => /^[A-Z_]+$/.test(code) && !isErrorCode(code))).toEqual([]);
  });
});

describe('the table of options', () => {
  const rows = tableOf(optionsPage, 'option').flatMap(([names = '', value = '']) => {
    return codesIn(names).map((name) => ({ name, value: codesIn(value)[0] }));
  });

  it('lists exactly those of the schema', () => {
    expect(rows.map(({ name }) => name).sort()).toEqual(optionNames(assertOptions));
  });

  it.each(rows.filter(({ value }) => value !== undefined))('tells the default of $name', ({ name, value = '' }) => {
    const actual = settings[name as keyof RealtimeSettings] as object | string | number | boolean;
    const inner = Array.from(value.matchAll(/(\w+): ([\w.]+)/g), ([, key, text]) => [key, literal(text!)]);
    const told = value.startsWith('{') ? Object.fromEntries(inner) : value;
    expect(told).toEqual(typeof actual === 'object' ? actual : String(actual));
  });
});

/** The options that have options of their own, and how a wrong one of each is given. */
const SECTIONS: Record<string, (nonsense: object) => unknown> = {
  'jwt option': (jwt) => assertOptions({ jwt: { secret: 'x'.repeat(32), algorithms: ['HS256'], ...jwt } }),
  'token option': (token) => assertOptions({ token }),
  'authorize option': (authorize) => assertOptions({ authorize }),
};

describe.each(Object.entries(SECTIONS))('the table of each %s', (title, check) => {
  it('lists exactly those of the schema', () => {
    const names = tableOf(optionsPage, title).flatMap(([name = '']) => codesIn(name));
    expect(names.sort()).toEqual(optionNames(check));
  });
});

it('the table of gateway options lists exactly those that there are', () => {
  const names = tableOf(optionsPage, 'gateway option').flatMap(([name = '']) => codesIn(name));
  expect(names.sort()).toEqual([...TOPIC_GATEWAY_OPTIONS].sort());
});

describe('the table of the options of Redis', () => {
  const url = 'redis://localhost:6379';
  const { place: _place, ...defaults } = redisSettingsOf({ url });
  const rows = tableOf(optionsPage, 'Redis option').map(([names = '', value = '']) => {
    return { name: codesIn(names)[0] ?? '', value: codesIn(value)[0] };
  });

  it('lists exactly those that there are', () => {
    const names = optionNames((option) => redisSettingsOf({ url, ...option }));
    expect(rows.map(({ name }) => name).sort()).toEqual(names);
  });

  it('tells a default where there is one', () => {
    const told = rows.filter(({ value }) => value !== undefined);
    expect(told.map(({ name }) => name).sort()).toEqual(Object.keys(defaults).sort());
  });

  it.each(rows.filter(({ value }) => value !== undefined))('tells the default of $name', ({ name, value = '' }) => {
    const actual = defaults[name as keyof typeof defaults];
    expect(value.replaceAll('_', '')).toBe(typeof actual === 'object' ? JSON.stringify(actual) : String(actual));
  });
});

describe('the tables of docs/production/operations.md', () => {
  const operations = read('docs/production/operations.md');

  it('list every option of the inspector', () => {
    const names = tableOf(operations, 'inspector option').flatMap(([name = '']) => codesIn(name));
    const guard = class {};
    expect(names.sort()).toEqual(optionNames((option) => inspectorSettingsOf({ guard, ...option } as never)));
  });
  const described = [...Object.values(METRICS), ...Object.values(DURATIONS)];

  it('list exactly the metrics that there are, in their order', () => {
    const rows = tableOf(operations, 'metric').map(
      ([name = '', prometheus = '', kind, unit = '', labels = '', meaning]) => {
        return {
          name: codesIn(name)[0],
          prometheus: codesIn(prometheus)[0],
          kind,
          unit: codesIn(unit)[0],
          labels: codesIn(labels),
          meaning,
        };
      },
    );
    expect(rows).toEqual(
      described.map((metric) => {
        const { name, kind, unit, labels, help } = metric;
        return { name, prometheus: prometheusName(metric), kind, unit, labels: [...labels], meaning: help };
      }),
    );
  });

  it('list exactly the reasons of health that there are', () => {
    const rows = tableOf(operations, 'reason').map(([code = '', status, meaning]) => [
      codesIn(code)[0],
      status,
      meaning,
    ]);
    const reasons = Object.entries(HEALTH_REASONS);
    expect(rows).toEqual(reasons.map(([code, { status, meaning }]) => [code, status, meaning]));
  });

  it('explain every label', () => {
    const explained = tableOf(operations, 'label of a metric').flatMap(([name = '']) => codesIn(name));
    expect(explained.sort()).toEqual([...new Set(described.flatMap(({ labels }) => labels))].sort());
  });
});

it.each(DOCUMENTS.filter((path) => path === 'README.md' || path.startsWith('docs/')))(
  '%s mentions only close codes that exist',
  (document) => {
    const ranges = [3000, 3499, 3500, 3999];
    const known = [...ranges, ...Object.values(CLOSE_CODES).map(({ code }) => code)];
    const mentioned = (prose(read(document)).match(/\b3\d{3}\b/g) ?? []).map(Number);
    expect(mentioned.filter((code) => !known.includes(code))).toEqual([]);
  },
);

it('the protocol lists the steps to which the rate of a client is rounded down', () => {
  const [, list = ''] = /30 steps: ([\d.,\sand]+)\. /.exec(read('docs/reference/protocol.md')) ?? [];
  const intervals = list.split(/,\s+|\s+and\s+/).map((step) => Math.ceil(1_000 / Number(step)));
  const asked = Array.from({ length: 10_000 }, (_, n) => (n + 1) / 10);
  expect([...new Set(asked.map((rate) => updateIntervalOf(Infinity, rate)))]).toEqual(intervals.reverse());
  expect(intervals.length).toBe(30);
});

describe('the table of the errors of SDKs', () => {
  const rows = tableOf(read('docs/reference/sdks.md'), 'number').map(([numbers = '', codes = '']) => {
    return { numbers: numbers.split(', '), codes: codesIn(codes).filter(isErrorCode) };
  });

  it.each(Object.keys(ERROR_CODES) as ErrorCode[])('has the numbers of %s', (code) => {
    const numbers = new Set(METHODS.map((method) => String(numberedError({ code, message: 'm' }, method).code)));
    const told = rows.filter(({ codes }) => codes.includes(code)).flatMap((row) => row.numbers);
    expect(told).toEqual(expect.arrayContaining([...numbers]));
  });
});
