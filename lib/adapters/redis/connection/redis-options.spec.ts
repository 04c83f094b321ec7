import { createClient, createCluster } from '@redis/client';
import { describe, expect, it } from 'vitest';
import { RealtimeConfigurationError } from '../../../errors/realtime-configuration.error.js';
import { RandomIdGenerator } from '../../system/random-id-generator.js';
import { RedisAssembly } from '../redis-assembly.js';
import { explainRedisOptions, redisSettingsOf, type RedisBackendOptions } from './redis-options.js';

const url = 'redis://localhost:6379';

describe('options that can be right', () => {
  it.each<[what: string, options: RedisBackendOptions]>([
    ['an address', { url }],
    ['an address with TLS', { url: 'rediss://user:secret@redis.example.com:6380/1' }],
    ['an address and more about the connection', { url, client: { name: 'realtime' } }],
    ['the options of a client', { client: { socket: { host: 'localhost', port: 6379 } } }],
    ['a client', { client: createClient({ url }) }],
    ['a Redis Cluster', { cluster: { rootNodes: [{ url }] } }],
    ['a secret', { url, secret: { sign: 's'.repeat(32) } }],
    ['a secret in rotation', { url, secret: { sign: 's'.repeat(32), accept: ['t'.repeat(32)], acceptUnsigned: true } }],
    ['an option that is undefined', { url, prefix: undefined }],
  ])('%s', (_what, options) => {
    expect(explainRedisOptions(options)).toEqual([]);
  });

  it('get defaults', () => {
    expect(redisSettingsOf({ url })).toEqual({
      place: { kind: 'server', options: { url } },
      prefix: 'realtime',
      partitions: 64,
      commandTimeoutMs: 4_000,
      maxPendingCommands: 100_000,
      lingerMs: 1_000,
      leaseRefreshMs: 5_000,
      leaseTtlMs: 15_000,
      probeIntervalMs: 10_000,
      maxEnvelopeBytes: 1_179_648,
      requireAtBoot: true,
    });
  });
});

describe('options that cannot be right', () => {
  it.each<[what: string, options: unknown, problem: RegExp]>([
    ['nothing', undefined, /^options must be an object like \{ url:/],
    ['no place', {}, /^url is missing: give the address of Redis/],
    ['an address that is none', { url: 'localhost:6379' }, /^url must be an address like "redis:/],
    ['an address of something else', { url: 'http://localhost' }, /^url must be an address/],
    ['a client that is none', { client: 'redis' }, /^client must be the options of createClient\(\)/],
    ['an address beside a client', { url, client: createClient() }, /^url must not be combined with client/],
    ['a Redis Cluster without nodes', { cluster: { rootNodes: [] } }, /^cluster must be an object like/],
    ['an address beside a Redis Cluster', { url, cluster: { rootNodes: [{ url }] } }, /^cluster must not be combined/],
    ['an unknown option', { url, ttl: 1 }, /^ttl is not an option; the options are: url, client/],
    ['braces in the prefix', { url, prefix: 'a{b}' }, /^prefix must be 1 to 64 letters/],
    ['a pattern as the prefix', { url, prefix: 'a*' }, /^prefix must be 1 to 64 letters/],
    ['an empty prefix', { url, prefix: '' }, /^prefix must be 1 to 64 letters/],
    ['a secret by itself', { url, secret: 's'.repeat(32) }, /^secret must be an object like \{ sign:/],
    ['no secret', { url, secret: {} }, /^secret.sign must be a string of at least 32 characters/],
    ['a short secret', { url, secret: { sign: 'hunter2' } }, /^secret.sign must be a string of at least 32 characters/],
    ['a short old secret', { url, secret: { sign: 's'.repeat(32), accept: [''] } }, /^secret.accept must be a list/],
    ['an unknown way to sign', { url, secret: { sign: 's'.repeat(32), key: 1 } }, /^secret.key is not an option/],
    ['no partition', { url, partitions: 0 }, /^partitions must be a whole number from 1 to 1024/],
    ['no time', { url, commandTimeoutMs: 0 }, /^commandTimeoutMs must be a whole number of milliseconds/],
    ['a time that is none', { url, lingerMs: NaN }, /^lingerMs must be a whole number of milliseconds from 0/],
    ['a size that is none', { url, maxEnvelopeBytes: '1mb' }, /^maxEnvelopeBytes must be a whole number of bytes/],
    ['a lease that ends too soon', { url, leaseTtlMs: 6_000 }, /^leaseTtlMs must be at least twice leaseRefreshMs/],
    ['something else than a yes or no', { url, requireAtBoot: 1 }, /^requireAtBoot must be true or false/],
  ])('%s', (_what, options, problem) => {
    const [first] = explainRedisOptions(options);
    expect(`${first?.at} ${first?.message}`).toMatch(problem);
  });

  it('stop the boot, all named at once', () => {
    const create = () => redisSettingsOf({ url, prefix: '*', partitions: 0 });
    expect(create).toThrow(RealtimeConfigurationError);
    expect(create).toThrow(/^redisBackend: prefix must .+; partitions must /);
  });

  it('never quote an address, which may hold a password', () => {
    expect(JSON.stringify(explainRedisOptions({ url: 'redis:user:secret@host' }))).not.toContain('secret');
  });

  it('never quote a secret', () => {
    const problems = explainRedisOptions({ url, secret: { sign: 'hunter2', accept: ['hunter2'] } });
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  });

  it('are a database that is no number; the address is not quoted', async () => {
    const created = RedisAssembly.create({ url: 'redis://user:hunter2@localhost/main' }, new RandomIdGenerator());
    await expect(created).rejects.toThrow(RealtimeConfigurationError);
    await expect(created).rejects.toThrow(/name the database by its number/);
    await expect(created).rejects.not.toThrow(/hunter2/);
  });

  it('are a client of a Redis Cluster, with the cure', async () => {
    const client = createCluster({ rootNodes: [{ url }] });
    await expect(RedisAssembly.create({ client }, new RandomIdGenerator())).rejects.toThrow(
      /give its options: cluster/,
    );
  });
});
