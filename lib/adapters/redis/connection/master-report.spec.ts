import { describe, expect, it } from 'vitest';
import { masterReportIn, newestOf } from './master-report.js';

const ADDRESS = ['10.0.0.1', '6379'];
const FIELDS = { name: 'm', ip: '10.0.0.9', port: '6379', 'config-epoch': '3' };
const REPORT = { address: { host: '10.0.0.1', port: 6379 }, configEpoch: 3 };

describe('the replies of a sentinel', () => {
  it.each<[string, unknown]>([
    ['an object', FIELDS],
    ['a Map', new Map(Object.entries(FIELDS))],
    ['a list', Object.entries(FIELDS).flat()],
  ])('have the epoch in %s', (_form, fields) => {
    expect(masterReportIn(ADDRESS, fields)).toEqual(REPORT);
  });

  it.each<[string, unknown]>([
    ['null, for a name that is not watched', null],
    ['a text', 'OK'],
    ['an empty list', []],
    ['no port', ['10.0.0.1']],
    ['a port that is no number', ['10.0.0.1', 'x']],
    ['no host', ['', '6379']],
  ])('have no address when it is %s', (_form, address) => {
    expect(masterReportIn(address, FIELDS)).toBeUndefined();
  });

  it.each<[string, unknown]>([
    ['missing', {}],
    ['no number', { 'config-epoch': 'x' }],
    ['in no map', null],
  ])('count as the oldest when the epoch is %s', (_form, fields) => {
    expect(masterReportIn(ADDRESS, fields)).toEqual({ ...REPORT, configEpoch: 0 });
  });
});

describe('the newest of several reports', () => {
  const old = { address: { host: 'old', port: 1 }, configEpoch: 1 };
  const young = { address: { host: 'new', port: 2 }, configEpoch: 2 };

  it.each([[[old, young]], [[young, old]]])('is the one with the greatest epoch, whoever answers first', (reports) => {
    expect(newestOf(reports)).toBe(young);
  });

  it('is missing when there is none', () => {
    expect(newestOf([])).toBeUndefined();
  });
});
