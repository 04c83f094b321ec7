import { spawnSync } from 'node:child_process';

/** The command that starts Redis: as `REDIS_SERVER_PATH` says, or as it is found. */
export function redisServer(): string {
  return process.env['REDIS_SERVER_PATH'] ?? 'redis-server';
}

/** @returns what to do when there is no Redis that could be started, or nothing */
export function redisMissing(): string | undefined {
  if (spawnSync(redisServer(), ['--version'], { stdio: 'ignore' }).status === 0) return undefined;
  return (
    'what runs over Redis was left out: it needs redis-server 7 or newer. Install it (on Debian: sudo apt-get install ' +
    'redis-server), or set REDIS_SERVER_PATH to the executable.'
  );
}
