import { beforeEach, describe, expect, it } from 'vitest';
import { startRedis, type RedisServer } from '../../../../test/helpers/redis-server.js';
import { LOST_DATA_FUNCTIONS } from './lost-data.js';

/** The sections of `INFO`, as a server tells them that has just begun empty. */
const EMPTY = {
  server: 'run_id:abc\r\nuptime_in_seconds:5\r\n',
  replication: 'role:master\r\nmaster_replid:def\r\nmaster_repl_offset:0\r\nsecond_repl_offset:-1\r\n',
  persistence: 'rdb_last_load_keys_expired:0\r\nrdb_last_load_keys_loaded:0\r\naof_enabled:0\r\n',
  stats: 'expired_keys:3\r\nevicted_keys:0\r\n',
  commandstats: 'cmdstat_get:calls=7,usec=1\r\n',
};
type Info = Partial<typeof EMPTY>;

const FUNCTIONS = {
  losses: 'losses()',
  identity: 'identity()',
  isPromoted: 'isPromoted() and 1 or 0',
  mayHaveLoaded: 'mayHaveLoaded() and 1 or 0',
};

let redis: RedisServer;
beforeEach(async () => {
  redis = await startRedis();
  // Before its first command it has no statistics of commands.
  await redis.cli('PING');
});

/** The result of a function, from the answers of the server that runs it. */
const now = (name: keyof typeof FUNCTIONS) => redis.cli('EVAL', `${LOST_DATA_FUNCTIONS} return ${FUNCTIONS[name]}`, 0);

/** The result of a function, from given answers. */
function told(name: keyof typeof FUNCTIONS, info: Info): Promise<string> {
  const texts = Object.entries({ ...EMPTY, ...info }).map(([section, text]) => `${section} = ${JSON.stringify(text)}`);
  const answers = `local answers = { ${texts.join(', ')} }
    local redis = { pcall = function(_, section) local text = answers[section] return text ~= '' and text or { err = 'NOPERM' } end }`;
  return redis.cli('EVAL', `${answers} ${LOST_DATA_FUNCTIONS} return ${FUNCTIONS[name]}`, 0);
}

describe('what a server tells of lost data', () => {
  it('is nothing if it has begun empty', async () => {
    expect([await now('losses'), await now('isPromoted'), await now('mayHaveLoaded')]).toEqual(['0', '0', '0']);
  });

  it.each(['flushall', 'flushdb', 'swapdb', 'sflush', 'cluster|flushslot'])('counts each %s', async (name) => {
    expect(await told('losses', { commandstats: `cmdstat_${name}:calls=2,usec=1\r\n` })).toBe('2');
  });

  it('counts no command that only gives up the slots of a server without keys', async () => {
    expect(await told('losses', { commandstats: 'cmdstat_cluster|flushslots:calls=2,usec=1\r\n' })).toBe('0');
  });

  it('is unknown if it may not be asked', async () => {
    const refused = { server: '', replication: '', persistence: '', stats: '', commandstats: '' };
    expect([await told('losses', refused), await told('identity', refused)]).toEqual(['-1', '']);
    expect([await told('isPromoted', refused), await told('mayHaveLoaded', refused)]).toEqual(['1', '1']);
  });

  it('is that it has loaded data, also if all of them had expired', async () => {
    await redis.cli('SET', 'kept', 1);
    await redis.cli('SAVE');
    await redis.restart();
    expect(await now('mayHaveLoaded')).toBe('1');
    const expired = EMPTY.persistence.replace('expired:0', 'expired:7');
    expect(await told('mayHaveLoaded', { persistence: expired })).toBe('1');
  });

  it('is that it may have loaded data if it keeps an append-only file, which is loaded without being counted', async () => {
    expect(await told('mayHaveLoaded', { persistence: EMPTY.persistence.replace('enabled:0', 'enabled:1') })).toBe('1');
  });

  it('is not that it has loaded data once it has been up for an hour', async () => {
    const persistence = EMPTY.persistence.replace('loaded:0', 'loaded:5');
    expect(await told('mayHaveLoaded', { persistence, server: 'run_id:abc\r\nuptime_in_seconds:3599\r\n' })).toBe('1');
    expect(await told('mayHaveLoaded', { persistence, server: 'run_id:abc\r\nuptime_in_seconds:3600\r\n' })).toBe('0');
  });

  it('is another identity after a restart, and after a promotion, which it goes on to tell', async () => {
    const identities = new Set([await now('identity')]);
    await redis.restart();
    identities.add(await now('identity'));
    await redis.cli('REPLICAOF', '127.0.0.1', 1);
    await redis.cli('REPLICAOF', 'NO', 'ONE');
    identities.add(await now('identity'));
    expect(identities.size).toBe(3);
    expect(await now('isPromoted')).toBe('1');
  });
});
