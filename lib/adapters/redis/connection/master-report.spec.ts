import { describe, expect, it } from 'vitest';
import { isOutdated, masterReportIn, newestOf } from './master-report.js';

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

describe('a report', () => {
  const at = (configEpoch: number) => ({ address: { host: 'h', port: configEpoch }, configEpoch });

  it.each<[what: string, reported: number, inUse: number | undefined, isAttached: boolean, expected: boolean]>([
    ['is outdated if it is older than the master in use', 4, 5, true, true],
    ['is not if it is of the same failover', 5, 5, true, false],
    ['is not if it is newer', 6, 5, true, false],
    ['is not if the master in use is gone, because the sentinels may be new', 4, 5, false, false],
    ['is not if no master is in use', 0, undefined, true, false],
  ])('%s', (_what, reported, inUse, isAttached, expected) => {
    expect(isOutdated(at(reported), inUse === undefined ? undefined : at(inUse), isAttached)).toBe(expected);
  });
});
