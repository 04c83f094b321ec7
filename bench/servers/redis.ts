import { createClient } from '@redis/client';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { redisServer } from '../stage/redis-server.js';
import { control } from './server-control.js';

/** The number of further ports tried if another process takes one first. */
const MAX_ATTEMPTS = 20;

/** It ends when this process does, however that ends: the shell waits for the end of what it reads. */
const TIED = '"$@" & cat > /dev/null; kill $!';

/** Starts `redis-server`, which keeps nothing. @returns whether it serves */
async function serves(port: number): Promise<boolean> {
  const command = [redisServer(), '--bind', '127.0.0.1', '--port', `${port}`, '--save', '', '--appendonly', 'no'];
  const shell = spawn('sh', ['-c', TIED, 'sh', ...command], { stdio: ['pipe', 'pipe', 'inherit'] });
  for await (const line of createInterface(shell.stdout)) {
    if (line.includes('Ready to accept connections')) return true;
    if (line.includes('Address already in use')) break;
  }
  shell.stdin.end();
  return false;
}

async function freePort(): Promise<number> {
  const listener = createServer();
  await once(listener.listen(0, '127.0.0.1'), 'listening');
  const { port } = listener.address() as AddressInfo;
  await once(listener.close(), 'close');
  return port;
}

async function start(): Promise<number> {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const port = await freePort();
    if (await serves(port)) return port;
  }
  throw new Error('redis-server has found no free port.');
}

const port = await start();
const client = createClient({ url: `redis://127.0.0.1:${port}` });
client.on('error', (error) => console.error(error));
await client.connect();
await control({
  port,
  publish: () => undefined,
  connections: () => 0,
  // The resources that count are those of Redis, not of this process.
  usage: async () => {
    const said = `${await client.info('cpu')}\n${await client.info('memory')}`;
    const number = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(said)![1]);
    return {
      cpuMicros: Math.round((number('used_cpu_user') + number('used_cpu_sys')) * 1_000_000),
      rssBytes: number('used_memory_rss'),
      heapBytes: number('used_memory'),
    };
  },
});
