import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { startRedisCluster } from './redis-cluster.js';
import { RedisServer, startRedis } from './redis-server.js';

describe('startRedis()', () => {
  it('serves when it resolves', async () => {
    const redis = await startRedis();
    expect(await redis.cli('PING')).toBe('PONG');
  });

  it('starts any number of servers at once, each by itself', async () => {
    const servers = await Promise.all([1, 2, 3].map(() => startRedis()));
    await Promise.all(servers.map((server, index) => server.cli('SET', 'mine', index)));
    expect(await Promise.all(servers.map((server) => server.cli('GET', 'mine')))).toEqual(['0', '1', '2']);
  });

  it('takes more configuration', async () => {
    const redis = await startRedis({ args: ['--maxmemory', '64mb'] });
    expect(await redis.cli('CONFIG', 'GET', 'maxmemory')).toBe('maxmemory\n67108864');
  });

  it('rejects with what the server said when its configuration is wrong', async () => {
    await expect(startRedis({ args: ['--maxmemory', 'lots'] })).rejects.toThrow(/argument must be a memory value/);
  });

  it('rejects with the error that Redis answers', async () => {
    const redis = await startRedis();
    await expect(redis.cli('GET')).rejects.toThrow(/wrong number of arguments/);
  });

  it('is gone after a crash, and back on the same port after a restart, with nothing in it', async () => {
    const redis = await startRedis();
    await redis.cli('SET', 'key', 'value');
    await redis.kill();
    await expect(redis.cli('PING')).rejects.toThrow(/Connection refused/);
    await redis.restart();
    expect(await redis.cli('EXISTS', 'key')).toBe('0');
  });

  it('finds after a restart what was saved', async () => {
    const redis = await startRedis();
    await redis.cli('SET', 'key', 'value');
    await redis.cli('SAVE');
    await redis.kill();
    await redis.restart();
    expect(await redis.cli('GET', 'key')).toBe('value');
  });

  it('answers nobody while it is halted, and everybody afterwards', async () => {
    const redis = await startRedis();
    redis.pause();
    const socket = connect(redis.port, '127.0.0.1');
    socket.write('PING\r\n');
    await once(socket, 'connect');
    const answer = once(socket, 'data');
    // The answer of another one shows that there was enough time.
    const other = await startRedis();
    await other.cli('PING');
    expect(socket.bytesRead).toBe(0);
    redis.resume();
    expect(String((await answer)[0])).toBe('+PONG\r\n');
    socket.destroy();
  });

  it('ends a halted server with its folder', async () => {
    const redis = await RedisServer.start();
    redis.pause();
    await redis.end();
    expect(existsSync(redis.dir)).toBe(false);
  });
});

describe('startRedisCluster()', () => {
  it('serves at every node when it resolves', async () => {
    const { servers } = await startRedisCluster();
    const states = await Promise.all(servers.map((server) => server.cli('CLUSTER', 'INFO')));
    expect(states).toEqual(servers.map(() => expect.stringContaining('cluster_state:ok')));
    const keys = await Promise.allSettled(servers.map((server) => server.cli('SET', 'key', 'value')));
    expect(keys.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  }, 30_000);
});
