import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RealtimeSettings } from '../../lib/options/realtime.options.js';
import { codesIn, tableOf } from './markdown.js';
import { read, REPOSITORY } from './repository.js';

const security = read('docs/production/security.md');
const rows = ['attack', 'client'].flatMap((first) => tableOf(security, first));

describe('the tables of attacks', () => {
  it.each(rows)('have an effect and a rule for: %s', (...cells) => {
    expect(cells.filter((cell) => cell !== '')).toHaveLength(4);
  });

  it.each(rows.flatMap(([, , , tests = '']) => codesIn(tests)))('name a test file that exists: %s', (path) => {
    expect([/\.(faults|e2e-spec|spec)\.ts$/.test(path), existsSync(join(REPOSITORY, path))]).toEqual([true, true]);
  });

  it('name a test for each row', () => {
    expect(rows.filter(([, , , tests = '']) => codesIn(tests).length === 0)).toEqual([]);
  });

  it('give a figure for each cost, or say that there is none', () => {
    const costs = tableOf(security, 'attack').map(([, cost = '']) => cost);
    expect(costs.filter((cost) => !/\d|\bone\b|^none/.test(cost))).toEqual([]);
  });

  const hostile = 'test/faults/hostile';

  it.each(readdirSync(join(REPOSITORY, hostile)))('list %s', (file) => {
    expect(rows.flatMap(([, , , tests = '']) => codesIn(tests))).toContain(`${hostile}/${file}`);
  });

  it('name only limits that exist', () => {
    const named = Array.from(security.matchAll(/`limits\.(\w+)`/g), ([, name]) => name!);
    const { limits } = new RealtimeSettings({});
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => !(name in limits))).toEqual([]);
  });
});
