import { LOST_DATA_FUNCTIONS } from '../connection/lost-data.js';
import { RedisScript } from '../connection/redis-script.js';

/**
 * Refreshes or removes a node's lease, deletes leases that have expired by Redis's own clock, and returns the others.
 *
 * KEYS: the expiry of each lease (sorted set of node ids, milliseconds); the content of each lease (hash).
 * ARGV: the TTL of a lease, in milliseconds; the node's id; its lease, or '' to remove it.
 * Returns the time since which no lease can have been lost with the data of the server, in milliseconds before now, or -1 if it never
 * can; then the id, the lease and the remaining TTL in milliseconds of each live node. Keys of another type are deleted.
 *
 * That time is kept in the hash, in a field that is no node id, with the identity of the server. If the server has another identity now,
 * the leases are as old as the data that it has loaded, or that were replicated to it: others may have been lost up to now. They may
 * also have been if one of the keys has leases that the other one has not. Without that field, because the hash is new or was made by
 * a version that does not write it, they may have been unless the server began empty, or long ago, and has lost nothing since.
 */
export const leasesScript = new RedisScript(`
${LOST_DATA_FUNCTIONS}
local function reset(key, kind)
  local found = redis.call('TYPE', key).ok
  if found ~= kind and found ~= 'none' then redis.call('DEL', key) end
end
reset(KEYS[1], 'zset')
reset(KEYS[2], 'hash')
local listed = redis.call('ZCARD', KEYS[1])
local isTorn = redis.call('HLEN', KEYS[2]) - redis.call('HEXISTS', KEYS[2], '@since') ~= listed
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
if isTorn then
  for _, id in ipairs(redis.call('HKEYS', KEYS[2])) do
    if not redis.call('ZSCORE', KEYS[1], id) then redis.call('HDEL', KEYS[2], id) end
  end
end
local server = identity()
local kept, owner = string.match(redis.call('HGET', KEYS[2], '@since') or '', '^(%-?%d+) (.*)$')
local since = not isTorn and owner == server and tonumber(kept)
if not since then
  local isWhole = not isTorn and not owner and losses() == 0 and not isPromoted() and not mayHaveLoaded()
  since = isWhole and -1 or now
  if ARGV[3] ~= '' then redis.call('HSET', KEYS[2], '@since', string.format('%.0f %s', since, server)) end
end
-- Nothing is left behind if the next node would come to the same.
if since < 0 and redis.call('ZCARD', KEYS[1]) == 0 then redis.call('DEL', KEYS[2]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[1])
local reply = { since < 0 and -1 or math.max(0, now - since) }
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local lease = redis.call('HGET', KEYS[2], id)
  if lease then
    reply[#reply + 1] = id
    reply[#reply + 1] = lease
    reply[#reply + 1] = redis.call('ZSCORE', KEYS[1], id) - now
  end
end
return reply
`);
