import { setImmediate as nextTurn } from 'node:timers/promises';
import { createClient } from '@redis/client';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { collectLogs } from '../../../../test/helpers/handler-harness.js';
import { startRedis, type RedisServer as RedisProcess } from '../../../../test/helpers/redis-server.js';
import type { RedisClient } from './redis-connection.js';
import { redisSettingsOf } from './redis-options.js';
import { RedisScript } from './redis-script.js';
import { RedisServer } from './redis-server.js';

let redis: RedisProcess;
let server: RedisServer;

beforeEach(async () => {
  collectLogs();
  redis = await startRedis();
  const { url } = redis;
  server = new RedisServer(
    'server',
    false,
    () => createClient({ url, socket: { reconnectStrategy: false } }) as unknown as RedisClient,
    redisSettingsOf({ url }),
    { restore: () => Promise.resolve(), changed: () => {}, moved: () => {} },
  );
  await server.open();
  onTestFinished(() => server.close());
});

const echo = new RedisScript('return { KEYS[1], ARGV[1], ARGV[2] }');
const run = () => echo.run(server, ['key'], ['a', 'b']);

/** How often a command was called, whatever came of it. */
async function callsOf(name: string): Promise<number> {
  const stats = await redis.cli('INFO', 'commandstats');
  return Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}

describe('RedisScript', () => {
  it('gets keys and arguments, and returns the reply', async () => {
    expect(await run()).toEqual(['key', 'a', 'b']);
  });

  it('sends its source once', async () => {
    for (let i = 0; i < 3; i++) await run();
    expect(await callsOf('eval')).toBe(1);
  });

  it('runs on a server that was told to forget it', async () => {
    await run();
    await redis.cli('SCRIPT', 'FLUSH');
    expect(await run()).toEqual(['key', 'a', 'b']);
  });

  const APPEND = "return redis.call('RPUSH', KEYS[1], ARGV[1])";
  const IN_ORDER = Array.from({ length: 501 }, (_, n) => `${n}`);

  it('keeps the order of calls while the server is told to forget it again and again', async () => {
    const script = new RedisScript(APPEND);
    const append = (text: string) => script.run(server, ['list'], [text]);
    await append('0');
    const calls: Promise<unknown>[] = [];
    for (let n = 1; n <= 500; n++) {
      calls.push(append(`${n}`));
      if (n % 50 === 0) void server.commands.run((client) => client.sendCommand(['SCRIPT', 'FLUSH']));
      if (n % 10 === 0) await nextTurn();
    }
    await Promise.all(calls);
    expect((await redis.cli('LRANGE', 'list', '0', '-1')).split('\n')).toEqual(IN_ORDER);
  });

  it('would not keep it if each call that was refused were made again by itself', async () => {
    const digest = await redis.cli('SCRIPT', 'LOAD', APPEND);
    const append = (text: string) =>
      server.commands.run((client) =>
        client
          .sendCommand(['EVALSHA', digest, '1', 'list', text])
          .catch(() => client.sendCommand(['EVAL', APPEND, '1', 'list', text])),
      );
    const ask = (...command: string[]) => server.commands.run((client) => client.sendCommand(command));
    // Another node makes the server know the script again, between two calls of one turn.
    await Promise.all([ask('SCRIPT', 'FLUSH'), append('1'), ask('SCRIPT', 'LOAD', APPEND), append('2')]);
    expect((await redis.cli('LRANGE', 'list', '0', '-1')).split('\n')).toEqual(['2', '1']);
  });

  it('runs in its turn over a connection that is new', async () => {
    const append = new RedisScript("return redis.call('RPUSH', KEYS[1], ARGV[1])");
    const push = (text: string) => server.commands.run((client) => client.sendCommand(['RPUSH', 'list', text]));
    await Promise.all([append.run(server, ['list'], ['a']), push('b'), append.run(server, ['list'], ['c']), push('d')]);
    expect((await redis.cli('LRANGE', 'list', '0', '-1')).split('\n')).toEqual(['a', 'b', 'c', 'd']);
  });

  it('rejects with what the server says, without a second attempt', async () => {
    const broken = new RedisScript("return redis.error_reply('OUT of order')");
    await broken.run(server, [], []).catch(() => undefined);
    await expect(broken.run(server, [], [])).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      cause: { message: 'OUT of order' },
    });
    expect(await callsOf('eval')).toBe(1);
  });

  it('rejects while its server is not known', async () => {
    await expect(echo.run(undefined, [], [])).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});
