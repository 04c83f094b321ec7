import { randomBytes } from 'node:crypto';
import { NodeProcess } from './node-process.js';
import { freePorts } from './ports.js';
import { startRedis, type Redis } from './redis-process.js';

/** What is launched. */
export interface Sample {
  /** The file that a node runs. */
  readonly program: string;
  /** The path of the page to open. */
  readonly page: string;
}

let redis: Redis | undefined;
let nodes: NodeProcess[] = [];
let isStopping = false;

async function start({ program, page }: Sample): Promise<void> {
  const ports = await freePorts(wantedPorts());
  const urls = ports.map((port) => `http://127.0.0.1:${port}`);
  redis = await startRedis(() => fail(new Error('Redis is gone, and the nodes with it.')));
  console.log(`Redis ${redis.url} is up`);
  const env = {
    ...process.env,
    REDIS_URL: redis.url,
    NODES: urls.join(','),
    // A token from one node has to open the other, too.
    JWT_SECRET: process.env['JWT_SECRET'] ?? randomBytes(32).toString('hex'),
  };
  nodes = urls.map((url) => new NodeProcess(url, program, env));
  await Promise.all(nodes.map((node) => node.start()));
  console.log(`Open ${urls[0]}${page} (Ctrl+C ends everything)`);
}

function wantedPorts(): number[] {
  const port = Number(process.env['PORT'] ?? 3000);
  const isPort = Number.isInteger(port) && port >= 0 && port < 65_535;
  if (!isPort) throw new Error(`PORT is ${process.env['PORT']}; it must be a number from 0 to 65534`);
  return port === 0 ? [0, 0] : [port, port + 1];
}

/** Stops the nodes first, which say goodbye to their clients and to Redis. */
async function stop(exitCode: number): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  await Promise.all(nodes.map((node) => node.stop()));
  await redis?.stop();
  process.exit(exitCode);
}

function fail(error: unknown): void {
  if (isStopping) return;
  console.error(error instanceof Error ? error.message : error);
  void stop(1);
}

/** Starts Redis and two nodes of a sample, and ends them with this process. */
export function launch(sample: Sample): void {
  process.on('SIGINT', () => void stop(0));
  process.on('SIGTERM', () => void stop(0));
  start(sample).catch(fail);
}
