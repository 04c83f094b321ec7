import { RedisScript } from '../connection/redis-script.js';

/**
 * Refreshes or removes a node's lease, deletes leases that have expired by Redis's own clock, and returns the others.
 *
 * KEYS: the expiry of each lease (sorted set of node ids, milliseconds); the content of each lease (hash).
 * ARGV: the TTL of a lease, in milliseconds; the node's id; its lease, or '' to remove it.
 * Returns the id, the lease and the remaining TTL in milliseconds of each live node, as a flat list. Keys of another type
 * are deleted.
 */
export const leasesScript = new RedisScript(`
local function reset(key, kind)
  local found = redis.call('TYPE', key).ok
  if found ~= kind and found ~= 'none' then redis.call('DEL', key) end
end
reset(KEYS[1], 'zset')
reset(KEYS[2], 'hash')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if ARGV[3] == '' then
  redis.call('ZREM', KEYS[1], ARGV[2])
  redis.call('HDEL', KEYS[2], ARGV[2])
else
  redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[2])
  redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now)) do
  redis.call('ZREM', KEYS[1], id)
  redis.call('HDEL', KEYS[2], id)
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[1])
local living = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local lease = redis.call('HGET', KEYS[2], id)
  if lease then
    living[#living + 1] = id
    living[#living + 1] = lease
    living[#living + 1] = redis.call('ZSCORE', KEYS[1], id) - now
  end
end
return living
`);
