import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CLOSE_CODES } from 'nestjs-realtime/core';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { prometheusName } from '../../lib/adapters/prometheus/prometheus-name.js';
import { HEALTH_REASONS } from '../../lib/core/metrics/health.js';
import { DURATIONS, METRICS } from '../../lib/core/metrics/metrics.js';
import { locate } from '../helpers/system-program.js';
import { anchorsIn, codesIn, tableOf } from './markdown.js';
import { read, REPOSITORY } from './repository.js';

const INSTALLATION_MS = 600_000;

const PROMTOOL = {
  names: ['promtool'],
  pathVariable: 'PROMTOOL_PATH',
  packages: ['prometheus'],
  cure:
    'The tests of the alert rules need promtool. Install it (on Debian: sudo apt-get install prometheus), or set PROMTOOL_PATH to ' +
    'the executable promtool.',
};

const FOLDER = 'docs/operations';
const alerts = read(`${FOLDER}/alerts.yml`);
const tests = read(`${FOLDER}/alerts.test.yml`);
const runbook = read('docs/production/runbook.md');
const dashboard = JSON.parse(read(`${FOLDER}/dashboard.json`)) as {
  readonly panels: readonly {
    title: string;
    type: string;
    description?: string;
    targets?: readonly { expr: string }[];
  }[];
};

/** The names of all metrics in Prometheus. */
const names: readonly string[] = [...Object.values(METRICS), ...Object.values(DURATIONS)].map(prometheusName);

/** The metrics that a text mentions. */
const mentioned = (text: string) =>
  new Set((text.match(/\brealtime_[a-z_]+/g) ?? []).map((name) => name.replace(/_(bucket|sum|count)$/, '')));

const alertNames = Array.from(alerts.matchAll(/- alert: (\w+)/g), ([, name]) => name!);

const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

describe('the runbook', () => {
  const firstCells = (header: string) => tableOf(runbook, header).map(([cell = '']) => cell);

  it('says of every metric what to do', () => {
    expect(firstCells('metric to watch').flatMap(codesIn)).toEqual(expect.arrayContaining([...names]));
    expect(firstCells('metric to watch')).toHaveLength(names.length);
  });

  it('says of every reason of health what to do', () => {
    expect(firstCells('health reason').flatMap(codesIn)).toEqual(Object.keys(HEALTH_REASONS));
  });

  it('says of every close code what to do', () => {
    const own = firstCells('close code').flatMap((cell) => cell.split(', ').map(Number));
    expect(own.filter((code) => code >= 3_000)).toEqual(Object.values(CLOSE_CODES).map(({ code }) => code));
  });

  it('has a section for every alert, where the alert says', () => {
    const sections = Array.from(alerts.matchAll(/runbook: '[^'#]+#([^']+)'/g), ([, anchor]) => anchor!);
    expect(sections).toEqual(alertNames.map((name) => name.toLowerCase()));
    expect(anchorsIn(runbook)).toEqual(expect.arrayContaining(sections));
  });
});

describe('the dashboard', () => {
  it('shows every metric, and no other', () => {
    expect([...mentioned(expressions.join('\n'))].sort()).toEqual(names.toSorted());
  });

  it('says of every panel what it shows', () => {
    const silent = dashboard.panels.filter(({ type, description }) => type !== 'row' && !description);
    expect(silent.map(({ title }) => title)).toEqual([]);
  });
});

describe('the alert rules', () => {
  let promtool: string;
  const run = promisify(execFile);

  /** Runs promtool in a copy of the folder. @param change of `alerts.yml` */
  async function check(args: readonly string[], change = (rules: string) => rules): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'operations-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await cp(join(REPOSITORY, FOLDER), folder, { recursive: true });
    await writeFile(join(folder, 'alerts.yml'), change(await readFile(join(folder, 'alerts.yml'), 'utf8')));
    const { stdout, stderr } = await run(promtool, args, { cwd: folder });
    return stdout + stderr;
  }

  beforeAll(async () => {
    promtool = await locate(PROMTOOL);
  }, INSTALLATION_MS);

  it('are of metrics that there are', () => {
    expect([...mentioned(alerts + tests)].filter((name) => !names.includes(name))).toEqual([]);
  });

  it('are all tested, with a fleet that is well and one that is not', () => {
    for (const name of alertNames) {
      expect(tests).toContain(`- name: ${name} fires`);
      expect(tests).toContain(`{ alertname: ${name}, eval_time: 40m, exp_alerts: [] }`);
    }
  });

  it('are accepted by Prometheus', async () => {
    expect(await check(['check', 'rules', 'alerts.yml'])).toContain(`SUCCESS: ${alertNames.length} rules found`);
  });

  it('fire when they should, and only then', async () => {
    expect(await check(['test', 'rules', 'alerts.test.yml'])).toContain('SUCCESS');
  });

  it('twin: with other thresholds, their tests fail', async () => {
    const never = check(['test', 'rules', 'alerts.test.yml'], (rules) => rules.replaceAll(' > 0.1', ' > 9000'));
    await expect(never).rejects.toThrow();
    const always = check(['test', 'rules', 'alerts.test.yml'], (rules) => rules.replaceAll('> 0.25', '> 0'));
    await expect(always).rejects.toThrow();
  });

  it('have expressions like those of the dashboard, which Prometheus accepts too', async () => {
    const plain = expressions.map((expr) => expr.replaceAll('$__rate_interval', '5m'));
    const records = plain.map((expr, i) => `      - { record: 'panel:${i}', expr: ${JSON.stringify(expr)} }\n`);
    const rules = `groups:\n  - name: dashboard\n    rules:\n${records.join('')}`;
    expect(await check(['check', 'rules', 'alerts.yml'], () => rules)).toContain(`${records.length} rules found`);
  });
});
