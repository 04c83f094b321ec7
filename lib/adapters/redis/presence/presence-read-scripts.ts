import { RedisScript } from '../connection/redis-script.js';

/** The epoch, if it belongs to this run of the server; else ''. */
const EPOCH = `
local function ofType(name, kind) return redis.call('TYPE', name).ok == kind end
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
local isKept = ofType(KEYS[1], 'hash') and redis.call('HGET', KEYS[1], 'run') == run
local epoch = isKept and redis.call('HGET', KEYS[1], 'epoch') or ''
local function sequenceOf(name)
  if not ofType(name, 'hash') then return '0' end
  return string.match(redis.call('HGET', name, '') or '', ' (%d+)$') or '0'
end
`;

/**
 * Reads a page of the members of a topic.
 *
 * KEYS: the hash of presence; the aggregated hash of the topic.
 * ARGV: the cursor, first 0; the approximate page size.
 * Returns the epoch, or '' if none has begun; `1` if all nodes have reported their entries in it, else `0`; the number of the
 * topic's newest change; the number of users; the number of their connections; the next cursor, 0 at the end; and a list
 * with the user id and entry of each member.
 */
export const pagePresenceScript = new RedisScript(`${EPOCH}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local isWhole = isKept and now >= tonumber(redis.call('HGET', KEYS[1], 'whole') or 0) and '1' or '0'
if not ofType(KEYS[2], 'hash') then return { epoch, isWhole, '0', 0, '0', '0', {} } end
local connections = string.match(redis.call('HGET', KEYS[2], '') or '', '^%-?%d+') or '0'
local page, found = { ARGV[1], {} }, {}
if ARGV[2] ~= '0' then page = redis.call('HSCAN', KEYS[2], ARGV[1], 'COUNT', ARGV[2]) end
for i = 1, #page[2], 2 do
  if page[2][i] ~= '' then
    found[#found + 1] = page[2][i]
    found[#found + 1] = page[2][i + 1]
  end
end
return { epoch, isWhole, sequenceOf(KEYS[2]), redis.call('HLEN', KEYS[2]) - 1, connections, page[1], found }
`);

/**
 * Reads the positions of topics.
 *
 * KEYS: the hash of presence; the aggregated hash of each topic.
 * Returns the epoch, or '' if none has begun; and the number of each topic's newest change.
 */
export const presencePositionsScript = new RedisScript(`${EPOCH}
local found = { epoch }
for i = 2, #KEYS do found[i] = sequenceOf(KEYS[i]) end
return found
`);
