import { RedisScript } from '../connection/redis-script.js';
import { STREAM_POSITION } from './stream-position.js';

/**
 * Assigns a message the next offset of its topic, stores it, and publishes it with its position.
 *
 * KEYS: the position of the topic (hash); its publications (stream, whose ids are `<offset>-0`); the term of the
 * server (hash); the key that remembers the idempotency key, if there is one.
 * ARGV: the server's run; the name of a new epoch, should there be one; how many publications are kept; for how long; for how long
 * the position is, both in milliseconds; PUBLISH or SPUBLISH; the channel; the frame's two parts; for how long the
 * idempotency key is remembered, in milliseconds; the tag of the topic.
 * Returns the epoch, the offset and the number of nodes that received it; -1 if the idempotency key is known.
 */
export const publishScript = new RedisScript(`${STREAM_POSITION}
if KEYS[4] then
  local known = redis.pcall('GET', KEYS[4])
  if type(known) == 'string' then
    local offset, epoch = string.match(known, '^(%d+) ([%w_-]+)$')
    if offset then return { epoch, offset, -1 } end
  end
end
local epoch, before, term = position(KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[2], ARGV[11])
if before == 0 then redis.call('HSET', KEYS[1], 'epoch', epoch, 'offset', 0, 'term', term) end
-- Lua would write numbers of more than 14 digits with an exponent.
local offset = string.format('%.0f', redis.call('HINCRBY', KEYS[1], 'offset', 1))
local entry = { KEYS[2], 'MAXLEN', '=', ARGV[3], offset .. '-0', 'text', string.sub(ARGV[9], string.find(ARGV[9], '\\n', 1, true) + 1) }
local added = redis.pcall('XADD', unpack(entry))
if type(added) == 'table' and added.err then
  -- The key is not a stream, or not the stream that the counter belongs to.
  redis.call('DEL', KEYS[2])
  redis.call('XADD', unpack(entry))
end
redis.call('PEXPIRE', KEYS[2], ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
outlive(KEYS[3], ARGV[5])
if KEYS[4] then redis.call('SET', KEYS[4], offset .. ' ' .. epoch, 'PX', ARGV[10]) end
local reached = redis.call(ARGV[6], ARGV[7], ARGV[8] .. '["' .. epoch .. '",' .. offset .. ']' .. ARGV[9])
return { epoch, offset, reached }
`);
