import { RedisScript } from '../connection/redis-script.js';

/**
 * What all scripts of presence share. The keys of one partition, which are in one slot, all start with ARGV[1]:
 *
 * - `:presence` (hash): `epoch`, one life of what is kept here; `run`, the run of the server that it was kept by; `changes`,
 *   how many there were in this epoch; `calm`, until when nobody is taken for dead; `at:<incarnation>`, how far its end has come.
 * - `:holders` (sorted set): incarnations of nodes, and when their lease runs out. One that is not in here says nothing.
 * - `:leaving` (sorted set): incarnations that have closed, or were taken for dead, and when all that they hold goes.
 * - `:held:<incarnation>` (hash): `<topic>\n<user id>` → connections. All that an incarnation holds.
 * - `:present:<topic>` (hash): user id → `<incarnations> <connections> <info>`, put together; '' → all connections.
 * - `:told:<incarnation>` (string): the answer to the last call that changed something, in case it did not arrive.
 *
 * User ids and info are JSON, topics are JSON without the quotes. A change is published as an envelope, by an origin of its
 * own with the name of the epoch. Keys of another type are in nobody's way: they are deleted.
 */
const PRELUDE = `
local start, publish, me = ARGV[1], ARGV[2], ARGV[3]
local checked = {}
local function key(name, kind)
  local full = start .. ':' .. name
  if not checked[full] then
    local found = redis.call('TYPE', full).ok
    if found ~= kind and found ~= 'none' then redis.call('DEL', full) end
    checked[full] = true
  end
  return full
end
local presence, holders, leaving = key('presence', 'hash'), key('holders', 'zset'), key('leaving', 'zset')
local told = key('told:' .. me, 'string')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
local epoch = redis.call('HGET', presence, 'run') == run and redis.call('HGET', presence, 'epoch')
local function announce(kind, topic, user, info)
  local sequence = redis.call('HINCRBY', presence, 'changes', 1)
  local with = info == '' and '' or ',"info":' .. info
  redis.call(publish, start .. ':topic:' .. topic, '1e["' .. epoch .. '",' .. sequence .. ',0,[["topic","' .. topic ..
    '"]],[],{"kind":"' .. kind .. '","userId":' .. user .. with .. '},{}]\\n')
end
local function entryOf(present, user)
  local entry = redis.call('HGET', present, user)
  if not entry then return 0, 0, '' end
  local nodes, connections, info = string.match(entry, '^(%d+) (%-?%d+) (.*)$')
  return tonumber(nodes) or 0, tonumber(connections) or 0, info or ''
end
local function put(topic, user, connections, said, isNew, isSilent)
  local held, present, field = key('held:' .. me, 'hash'), key('present:' .. topic, 'hash'), topic .. '\\n' .. user
  local nodes, all, info = entryOf(present, user)
  if isNew or info == '' then info = said end
  local before = nodes > 0 and redis.call('HGET', held, field)
  local more = connections - (before or 0)
  redis.call('HSET', held, field, connections)
  redis.call('HSET', present, user, (before and nodes or nodes + 1) .. ' ' .. all + more .. ' ' .. info)
  redis.call('HINCRBY', present, '', more)
  redis.call('PERSIST', present)
  if nodes > 0 or isSilent then return false end
  announce('joined', topic, user, info)
  return true
end
local function take(holder, topic, user)
  local held, present, field = key('held:' .. holder, 'hash'), key('present:' .. topic, 'hash'), topic .. '\\n' .. user
  local before = redis.call('HGET', held, field)
  redis.call('HDEL', held, field)
  local nodes, all, info = entryOf(present, user)
  if not before or nodes == 0 then return nil end
  redis.call('HINCRBY', present, '', 0 - before)
  if nodes > 1 then
    redis.call('HSET', present, user, nodes - 1 .. ' ' .. all - before .. ' ' .. info)
    return nil
  end
  redis.call('HDEL', present, user)
  if redis.call('HLEN', present) <= 1 then redis.call('DEL', present) end
  announce('left', topic, user, info)
  return info
end
local function answer(number, forMs, changes)
  if #changes > 0 then redis.call('SET', told, number .. '\\n' .. cjson.encode(changes), 'PX', forMs) end
  return changes
end
local function answered(number)
  local last = redis.call('GET', told)
  local of = last and string.match(last, '^(%d+)\\n')
  return of == number and cjson.decode(string.sub(last, #of + 2))
end
`;

/**
 * Says who is in which topic.
 *
 * ARGV: start of the keys; command to publish with; incarnation; number of the call; how long its answer is kept, in
 * milliseconds; then topic, user id, `+` (there), `=` (there, as everybody knows) or `-` (there no longer), connections,
 * info, and `1` when the info is newer than what is there, of each.
 * Returns false when the incarnation is none that may say something, else of each that has changed something: its place
 * (from 0), and the info of who has left or ''. The same call again changes nothing, and has the same answer.
 */
export const sayPresenceScript = new RedisScript(`${PRELUDE}
if not epoch or not redis.call('ZSCORE', holders, me) then return false end
local before = answered(ARGV[4])
if before then return before end
local changes = {}
local function changed(i, info)
  changes[#changes + 1] = tostring((i - 6) / 6)
  changes[#changes + 1] = info
end
for _, kept in ipairs({ presence, holders, leaving }) do redis.call('PERSIST', kept) end
for i = 6, #ARGV, 6 do
  local topic, user, what, connections, info = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
  if what ~= '-' then
    if put(topic, user, connections, info, ARGV[i + 5] == '1', what == '=') then changed(i, '') end
  else
    local left = take(me, topic, user)
    if left then changed(i, left) end
  end
end
return answer(ARGV[4], ARGV[5], changes)
`);

/**
 * Refreshes the lease of an incarnation, and ends what is held by those whose lease has run out: of one of them, at most so
 * much in one call. It writes no entries: who has left stays away.
 *
 * ARGV: start of the keys; command to publish with; incarnation; number of the call; how long its answer is kept, in
 * milliseconds; how long a lease holds, in milliseconds; name for a new epoch; `1` to enter as a new incarnation; how
 * much may be ended.
 * Returns the epoch; `1` when the incarnation has its lease, else `0`; `1` when there is more to end; and in a list
 * topic, user id and info of each who has left.
 */
export const tendPresenceScript = new RedisScript(`${PRELUDE}
local leaseMs = tonumber(ARGV[6])
if not epoch then
  -- What is here was kept by another run of the server, and may be of any age. It holds until those who live have said theirs.
  epoch = ARGV[7]
  for _, holder in ipairs(redis.call('ZRANGE', holders, 0, -1)) do redis.call('ZADD', leaving, now + leaseMs, holder) end
  redis.call('DEL', holders)
  redis.call('HSET', presence, 'epoch', epoch, 'run', run, 'changes', 0, 'calm', now + leaseMs)
end
local lease = redis.call('ZSCORE', holders, me)
if not lease and ARGV[8] ~= '1' then return { epoch, '0', '0', {} } end
-- Where this node was away, others may have been: they get the time to come back.
if lease and tonumber(lease) <= now then redis.call('HSET', presence, 'calm', now + leaseMs) end
redis.call('ZADD', holders, now + leaseMs, me)
redis.call('ZREM', leaving, me)
if now >= tonumber(redis.call('HGET', presence, 'calm') or 0) then
  for _, holder in ipairs(redis.call('ZRANGEBYSCORE', holders, '-inf', now)) do
    redis.call('ZREM', holders, holder)
    redis.call('ZADD', leaving, now, holder)
  end
end
local changes = answered(ARGV[4]) or {}
if #changes == 0 then
  local holder = redis.call('ZRANGEBYSCORE', leaving, '-inf', now, 'LIMIT', 0, 1)[1]
  if holder then
    -- From where the last call ended: what stood before is gone, and looking through it again would cost more each time.
    local at, held = 'at:' .. holder, key('held:' .. holder, 'hash')
    local page = redis.call('HSCAN', held, redis.call('HGET', presence, at) or 0, 'COUNT', ARGV[9])
    for i = 1, #page[2], 2 do
      local topic, user = string.match(page[2][i], '^(.*)\\n(.-)$')
      local left = take(holder, topic, user)
      if left then
        changes[#changes + 1] = topic
        changes[#changes + 1] = user
        changes[#changes + 1] = left
      end
    end
    redis.call('HSET', presence, at, page[1])
    if redis.call('EXISTS', held) == 0 then
      redis.call('HDEL', presence, at)
      redis.call('ZREM', leaving, holder)
    end
    answer(ARGV[4], ARGV[5], changes)
  end
end
local isHeld = redis.call('EXISTS', leaving) == 1
for _, holder in ipairs(redis.call('ZRANGE', holders, 0, -1)) do
  isHeld = isHeld or redis.call('EXISTS', start .. ':held:' .. holder) == 1
end
-- Where nobody holds anything, nothing is to be left when all nodes are gone.
for _, kept in ipairs({ presence, holders, leaving }) do
  if isHeld then redis.call('PERSIST', kept) else redis.call('PEXPIRE', kept, leaseMs) end
end
local isMore = redis.call('ZCOUNT', leaving, '-inf', now) > 0
return { epoch, '1', isMore and '1' or '0', changes }
`);

/**
 * Ends an incarnation: what it holds goes after a while, when another node sees to it.
 *
 * ARGV: start of the keys; command to publish with; incarnation; for how long it is waited, in milliseconds.
 * Returns the incarnations of which nobody is left to see to it.
 */
export const leavePresenceScript = new RedisScript(`${PRELUDE}
if redis.call('ZREM', holders, me) == 1 then redis.call('ZADD', leaving, now + ARGV[4], me) end
redis.call('DEL', told)
if redis.call('ZCOUNT', holders, '(' .. now, '+inf') > 0 then return {} end
for _, holder in ipairs(redis.call('ZRANGE', holders, 0, -1)) do redis.call('ZADD', leaving, now, holder) end
redis.call('DEL', holders)
for _, holder in ipairs(redis.call('ZRANGE', leaving, 0, -1)) do
  if redis.call('EXISTS', start .. ':held:' .. holder) == 0 then redis.call('ZREM', leaving, holder) end
end
if redis.call('EXISTS', leaving) == 0 then redis.call('DEL', presence) end
return redis.call('ZRANGE', leaving, 0, -1)
`);

/**
 * Lets what an incarnation holds expire by itself, a part at a time; a node that starts meanwhile, and says something,
 * keeps what it needs.
 *
 * ARGV: start of the keys; command to publish with; incarnation; where to go on, first 0; after how long, in milliseconds.
 * Returns where to go on, or 0 at the end.
 */
export const expirePresenceScript = new RedisScript(`${PRELUDE}
if redis.call('ZCARD', holders) > 0 then return 0 end
local held = key('held:' .. me, 'hash')
local found = redis.call('HSCAN', held, ARGV[4], 'COUNT', 500)
for i = 1, #found[2], 2 do
  redis.call('PEXPIRE', start .. ':present:' .. string.match(found[2][i], '^(.*)\\n'), ARGV[5])
end
for _, kept in ipairs({ presence, leaving, held }) do redis.call('PEXPIRE', kept, ARGV[5]) end
return found[1]
`);

/**
 * Reads who is in a topic.
 *
 * KEYS: what is put together of the topic.
 * ARGV: most members that are listed.
 * Returns how many users there are, how many connections they have, and in a list user id and entry of each that is
 * listed.
 */
export const readPresenceScript = new RedisScript(`
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return { 0, '0', {} } end
local limit, found, cursor = tonumber(ARGV[1]), {}, '0'
while #found < limit * 2 do
  local page = redis.call('HSCAN', KEYS[1], cursor, 'COUNT', limit)
  for i = 1, #page[2], 2 do
    if page[2][i] ~= '' and #found < limit * 2 then
      found[#found + 1] = page[2][i]
      found[#found + 1] = page[2][i + 1]
    end
  end
  cursor = page[1]
  if cursor == '0' then break end
end
return { redis.call('HLEN', KEYS[1]) - 1, redis.call('HGET', KEYS[1], '') or '0', found }
`);
