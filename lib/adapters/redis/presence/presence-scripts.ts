import { RedisScript } from '../connection/redis-script.js';
import { PRELUDE } from './presence-prelude.js';

/**
 * Reports the members of topics. Idempotent: repeating the same call changes nothing, and returns the same reply.
 *
 * ARGV: the common ones; number of the call; TTL of the lease, in milliseconds, or 0 to leave it as it is; the time until which
 * this node had known its users before it lost the data, or 0; then for each member the topic, the user id, `+` (present), `=` (present, and
 * its join was announced before), `~` (the same, but gone meanwhile), `!` (present, but its leave was announced to all) or `-`
 * (no longer present), the connections, the age of the info in milliseconds, and the info.
 * Returns false if the incarnation may not report, else the time, and the changes: kind, topic, user id and info, in turn. `gone` is no
 * change: the leave of a member reported with `~` was announced before, so the report was ignored.
 */
export const sayPresenceScript = new RedisScript(`${PRELUDE}
local lease, leaseMs = epoch and redis.call('ZSCORE', holders, me), tonumber(ARGV[6])
if not lease then return false end
if leaseMs > 0 then
  -- If this node was cut off, others may have been too: give them time to come back.
  if tonumber(lease) <= now then redis.call('HSET', presence, 'calm', now + leaseMs) end
  redis.call('ZADD', holders, now + leaseMs, me)
end
local number, before = answerIn(redis.call('GET', told))
if number == ARGV[5] then return { tostring(now), before } end
knownAt = tonumber(ARGV[7])
for i = 8, #ARGV, 6 do
  local topic, user, what = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if what == '-' then take(me, topic, user)
  else put(topic, user, tonumber(ARGV[i + 3]), ARGV[i + 5] == '' and 0 or now - ARGV[i + 4], ARGV[i + 5], what) end
end
keep(presence, holders, leaving, set, owed, start .. ':held:' .. me)
return { tostring(now), answer(ARGV[5]) }
`);

/**
 * Refreshes the lease of an incarnation and the TTL of its entries, and ends entries of an incarnation whose lease has
 * expired: of one such incarnation per call, up to a limit. It writes no entries, so users who left are not restored.
 *
 * ARGV: the common ones; number of the call; TTL of a lease, in milliseconds; name for a new epoch; `1` to enter as a new
 * incarnation; most entries to end; cursor of the topics to refresh, first 0; share of them to refresh in one call; the
 * incarnations of this node before losses of data, a line each, or ''; `1` if this node has reported all of its earlier users again after it, else
 * `0`; twice the number of incarnations that it saw declared dead before, and these, each with `1` if all of
 * its entries were ended, else `0`; then the leaves that it has acted on before: the topic, the user id and the time of each.
 * Returns the epoch; `1` if the incarnation has its lease, else `0`; `1` if there is more to end; the changes; `1` if the
 * incarnation was declared dead in an earlier epoch; the next cursor; the time; and `1` if one of those before losses of data was
 * declared dead. Two kinds among the changes name an incarnation in place of a topic: `dead`, declared dead by this call, and
 * `ended`, whose last entries this call has ended and whose leaves it has announced. So a reply that is lost keeps them, too.
 */
export const tendPresenceScript = new RedisScript(`${PRELUDE}
local leaseMs, buried = tonumber(ARGV[6]), key('buried', 'hash')
if not epoch then
  -- Data of another run of the server may be of any age. It stays valid until the live nodes have reported their entries.
  epoch = ARGV[7]
  local isOlder = redis.call('EXISTS', presence) == 1
  -- Users may have come back since the data were kept.
  redis.call('DEL', gone, old, owed)
  isAnyGone, isAnyOld = false, false
  for _, holder in ipairs(redis.call('ZRANGE', holders, 0, 999)) do redis.call('ZADD', leaving, now, holder) end
  for _, holder in ipairs(redis.call('ZRANGE', leaving, 0, 999)) do
    redis.call('HSET', old, holder, 1)
    if tonumber(redis.call('ZSCORE', leaving, holder)) < now + leaseMs then redis.call('ZADD', leaving, now + leaseMs, holder) end
  end
  redis.call('DEL', holders)
  redis.call('HSET', presence, 'epoch', epoch, 'run', run, 'calm', now + leaseMs, 'whole', now + leaseMs)
  if isOlder then redis.call('HSET', presence, 'doubt', now + 10 * leaseMs) end
  -- Topics of older data have numbers of that time: those that follow are higher.
  redis.call('HSETNX', presence, 'changes', 0)
end
local firstLeave = 15 + ARGV[14]
for i = 15, firstLeave - 1, 2 do
  redis.call('HSET', buried, ARGV[i], 1)
  -- Its leaves were announced before, and its changes acted on.
  if ARGV[i + 1] == '1' and redis.call('HEXISTS', old, ARGV[i]) == 1 then
    redis.call('DEL', start .. ':told:' .. ARGV[i])
    redis.call('HSET', old, ARGV[i], 2)
    redis.call('ZADD', leaving, now, ARGV[i])
  end
end
local isBuried, wasBuried = redis.call('HEXISTS', buried, me), 0
for former in string.gmatch(ARGV[12], '[^\\n]+') do wasBuried = math.max(wasBuried, redis.call('HEXISTS', buried, former)) end
local lease = redis.call('ZSCORE', holders, me)
keep(presence, leaving, old)
if not lease and ARGV[8] ~= '1' then
  return { epoch, '0', '0', {}, tostring(isBuried), '0', tostring(now), tostring(wasBuried) }
end
-- If this node was cut off, others may have been too: give them time to come back.
if lease and tonumber(lease) <= now then redis.call('HSET', presence, 'calm', now + leaseMs) end
-- A node that has lost its data reports its users silently, also those whose leave is announced before it is back.
if ARGV[12] ~= '' then redis.call('HSETNX', presence, 'doubt', now + 10 * leaseMs) end
for i = firstLeave, #ARGV, 3 do
  local isThere = entryOf(key('present:' .. ARGV[i], 'hash'), ARGV[i + 1]) > 0
  if not isThere then redis.call('HSETNX', gone, ARGV[i] .. '\\n' .. ARGV[i + 1], ARGV[i + 2]) end
end
if firstLeave <= #ARGV then keep(gone) end
redis.call('ZADD', holders, now + leaseMs, me)
redis.call('ZREM', leaving, me)
local number, before = answerIn(redis.call('GET', told))
if number == ARGV[5] then changes = before
else
  if now >= tonumber(redis.call('HGET', presence, 'calm') or 0) then
    for _, holder in ipairs(redis.call('ZRANGEBYSCORE', holders, '-inf', now, 'LIMIT', 0, 100)) do
      redis.call('ZREM', holders, holder)
      redis.call('ZADD', leaving, now, holder)
      act('dead', holder, '', '')
    end
  end
  local node = string.match(me, '^(.*)%.')
  for _, holder in ipairs(ARGV[13] == '1' and redis.call('HKEYS', old) or {}) do
    if holder ~= me and string.match(holder, '^(.*)%.') == node then
      redis.call('HSET', old, holder, 2)
      redis.call('ZADD', leaving, now, holder)
      -- What the node itself had caused, it has reported again.
      local orphan = key('told:' .. holder, 'string')
      local _, left = answerIn(redis.call('GET', orphan))
      for i = 1, #(left or {}), 4 do
        local isAgain = redis.call('HEXISTS', start .. ':held:' .. me, left[i + 1] .. '\\n' .. left[i + 2]) == 1
        if left[i] ~= 'joined' and not isAgain then act(left[i], left[i + 1], left[i + 2], left[i + 3]) end
      end
      redis.call('DEL', orphan)
    end
  end
  local holder = redis.call('ZRANGEBYSCORE', leaving, '-inf', now, 'LIMIT', 0, 1)[1]
  if holder then
    -- Changes that the dead incarnation had to act on, and may not have.
    local orphan = key('told:' .. holder, 'string')
    local _, left = answerIn(redis.call('GET', orphan))
    for _, text in ipairs(left or {}) do changes[#changes + 1] = text end
    redis.call('DEL', orphan)
    -- Continue where the last call ended: entries before that are deleted, and scanning them again would cost more each time.
    local at, held = 'at:' .. holder, key('held:' .. holder, 'hash')
    local page = redis.call('HSCAN', held, redis.call('HGET', presence, at) or 0, 'COUNT', ARGV[9])
    for i = 1, #page[2], 2 do
      local topic, user = string.match(page[2][i], '^(.*)\\n(.-)$')
      take(holder, topic, user, redis.call('HGET', old, holder) == '2')
    end
    redis.call('HSET', presence, at, page[1])
    if redis.call('EXISTS', held) == 0 then
      redis.call('HDEL', presence, at)
      redis.call('ZREM', leaving, holder)
      if redis.call('HGET', old, holder) ~= '2' then act('ended', holder, '', '') end
      redis.call('HDEL', old, holder)
      if redis.call('EXISTS', old) == 0 then redis.call('DEL', owed) end
    end
  end
  answer(ARGV[5])
end
-- Refresh a share of the topics per call, to keep each call cheap.
local mine = key('held:' .. me, 'hash')
local count = math.max(10, math.min(1000, math.ceil(redis.call('HLEN', mine) * ARGV[11])))
local page = redis.call('HSCAN', mine, ARGV[10], 'COUNT', count)
for i = 1, #page[2], 2 do redis.call('PEXPIRE', start .. ':present:' .. string.match(page[2][i], '^(.*)\\n'), keepMs) end
local isHeld = redis.call('EXISTS', leaving) == 1
for _, holder in ipairs(redis.call('ZRANGE', holders, 0, 999)) do
  isHeld = isHeld or redis.call('EXISTS', start .. ':held:' .. holder) == 1
end
-- If no node holds entries, let the keys expire soon after the last node is gone.
if not isHeld then keepMs = leaseMs end
keep(presence, holders, leaving, buried, set, old, owed, mine)
local isMore = redis.call('ZCOUNT', leaving, '-inf', now) > 0
return { epoch, '1', isMore and '1' or '0', changes, tostring(isBuried), page[1], tostring(now), tostring(wasBuried) }
`);

/**
 * Closes an incarnation: its entries stay for a grace period, and are then ended by another node.
 *
 * ARGV: the common ones; the grace period, in milliseconds.
 * Returns the incarnations whose entries have no live node to end them.
 */
export const leavePresenceScript = new RedisScript(`${PRELUDE}
if redis.call('ZREM', holders, me) == 1 then redis.call('ZADD', leaving, now + ARGV[5], me) end
redis.call('DEL', told)
keep(leaving)
if redis.call('ZCOUNT', holders, '(' .. now, '+inf') > 0 then return {} end
for _, holder in ipairs(redis.call('ZRANGE', holders, 0, 999)) do redis.call('ZADD', leaving, now, holder) end
redis.call('DEL', holders)
for _, holder in ipairs(redis.call('ZRANGE', leaving, 0, 999)) do
  if redis.call('EXISTS', start .. ':held:' .. holder) == 0 then redis.call('ZREM', leaving, holder) end
end
if redis.call('EXISTS', leaving) == 0 then redis.call('DEL', presence, set, gone, old, owed, start .. ':buried') end
return redis.call('ZRANGE', leaving, 0, 999)
`);

/**
 * Sets a TTL on the entries of an incarnation, a part at a time; a node that starts and reports meanwhile keeps the keys that
 * it needs.
 *
 * ARGV: the common ones, with the remaining TTL; the cursor, first 0.
 * Returns the next cursor, or 0 at the end.
 */
export const expirePresenceScript = new RedisScript(`${PRELUDE}
if redis.call('ZCARD', holders) > 0 then return 0 end
local held = key('held:' .. me, 'hash')
local found = redis.call('HSCAN', held, ARGV[5], 'COUNT', 500)
for i = 1, #found[2], 2 do
  redis.call('PEXPIRE', start .. ':present:' .. string.match(found[2][i], '^(.*)\\n'), keepMs)
end
keep(presence, leaving, held, set, gone, old, owed, start .. ':buried')
return found[1]
`);

/**
 * Sets the info of a user until a newer connection provides its own, or the user leaves.
 *
 * ARGV: the common ones; topic; user id; info.
 * Returns false if presence is not available at the moment, else `1` if the user is in the topic, or `0`; and the changes.
 */
export const updatePresenceScript = new RedisScript(`${PRELUDE}
if not epoch then return false end
local topic, user, info = ARGV[5], ARGV[6], ARGV[7]
local present = key('present:' .. topic, 'hash')
local nodes, all, since, shown = entryOf(present, user)
if nodes == 0 then return { '0', {} } end
local at = math.max(now, since + 1)
redis.call('HSET', set, topic .. '\\n' .. user, at .. ' ' .. info)
redis.call('HSET', present, user, nodes .. ' ' .. all .. ' ' .. at .. ' ' .. info)
if info ~= shown then
  local room, sequence = roomOf(present)
  redis.call('HSET', present, '', room .. ' ' .. announce('updated', topic, user, info, sequence))
  act('updated', topic, user, info)
end
keep(present, set)
return { '1', changes }
`);
