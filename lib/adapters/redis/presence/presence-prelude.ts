/**
 * The shared part of all presence scripts that change data. The keys of one partition, which are in one slot, all start with
 * ARGV[1]; all of them expire when no live node refreshes them:
 *
 * - `:presence` (hash): `epoch`, one life of the data here; `run`, the run of the server that kept the data; `changes`, the
 *   number of changes in this epoch; `whole`, set once all live nodes have reported their entries in this epoch; `calm`, the
 *   time until which no node is declared dead; `doubt`, after a loss of data, the time until which announced leaves are added to
 *   `:gone`; `at:<incarnation>`, the progress of ending an incarnation.
 * - `:holders` (sorted set): incarnations of nodes, and the expiry of their lease. Reports of any other incarnation are refused.
 * - `:leaving` (sorted set): incarnations that have closed, or were declared dead, and the time at which their entries end.
 * - `:old` (hash): incarnations of older data that came back, until their entries have ended: `1`, or `2` once their node has reported
 *   again whom it still has, or another node remembers that it has ended them. Then they end silently: their leaves were announced
 *   before.
 * - `:owed` (hash): `<topic>\n<user id>` of joins that were not announced, because older data has the user.
 * - `:buried` (hash): incarnations that were declared dead in an earlier epoch, as reported by nodes that remember it.
 * - `:held:<incarnation>` (hash): `<topic>\n<user id>` → `<connections> <since> <info>`. All entries of an incarnation.
 * - `:gone` (hash): `<topic>\n<user id>` of leaves that were announced while a loss of data left doubt, or that a node remembers
 *   from before this epoch, and not followed by a join; `0` if announced in this epoch, else the time.
 * - `:set` (hash): `<topic>\n<user id>` → `<since> <info>`. Info set by the application.
 * - `:present:<topic>` (hash): user id → `<incarnations> <connections> <since> <info>`, aggregated; '' → `<all connections>
 *   <number of the newest change>`.
 * - `:told:<incarnation>` (string): the reply to the last call that changed data, kept until the next call: for a repeated
 *   call if the reply was lost, and for the node that ends the incarnation if that makes no further call.
 *
 * User ids and info are JSON, topics are JSON without the quotes; `since` is the time at which the info was given, by
 * the clock of Redis in milliseconds. A change is published as an envelope, with its own origin, named after the epoch. Keys
 * of another type are deleted.
 *
 * While a slot of a Redis Cluster is moving, they refuse with TRYAGAIN before they change anything.
 *
 * Common ARGV: prefix of the keys; command to publish with; incarnation; TTL of keys, in milliseconds.
 */
export const PRELUDE = `
local start, publish, me, keepMs = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
-- Only one of the keys is declared. While the slot is moving, some of them are on another server: a command with two keys that
-- never exist fails then, on either server, and nothing has been written yet.
if publish == 'SPUBLISH' then
  local found = redis.pcall('EXISTS', start .. ':moving:1', start .. ':moving:2')
  if type(found) == 'table' and found.err then return redis.error_reply('TRYAGAIN The slot is moving') end
end
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
local told, set, gone, old = key('told:' .. me, 'string'), key('set', 'hash'), key('gone', 'hash'), key('old', 'hash')
local owed = key('owed', 'hash')
-- The time until which the reported users were known to be there, before the data were lost.
local knownAt = 0
local isAnyGone, isAnyOld = redis.call('EXISTS', gone) == 1, redis.call('EXISTS', old) == 1
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
local epoch = redis.call('HGET', presence, 'run') == run and redis.call('HGET', presence, 'epoch')
local changes = {}
local function announce(kind, topic, user, info, previous)
  local sequence = redis.call('HINCRBY', presence, 'changes', 1)
  local with = info == '' and '' or ',"info":' .. info
  redis.call(publish, start .. ':topic:' .. topic, '1e["' .. epoch .. '",' .. sequence .. ',0,[["topic","' .. topic ..
    '"]],[],{"kind":"' .. kind .. '","userId":' .. user .. with .. ',"at":["' .. epoch .. '",' .. sequence .. ',' ..
    previous .. ']},{}]\\n')
  return sequence
end
local function act(kind, topic, user, info)
  for _, text in ipairs({ kind, topic, user, info }) do changes[#changes + 1] = text end
end
local function roomOf(present)
  local connections, sequence = string.match(redis.call('HGET', present, '') or '', '^(%-?%d+) (%d+)$')
  return tonumber(connections) or 0, tonumber(sequence) or 0
end
local function entryOf(present, user)
  local entry = redis.call('HGET', present, user) or ''
  local nodes, connections, since, info = string.match(entry, '^(%d+) (%-?%d+) (%d+) (.*)$')
  return tonumber(nodes) or 0, tonumber(connections) or 0, tonumber(since) or 0, info or ''
end
local function heldOf(entry)
  local connections, since, info = string.match(entry or '', '^(%d+) (%d+) (.*)$')
  return tonumber(connections) or 0, tonumber(since) or 0, info or ''
end
local function newest(field)
  local since, info = string.match(redis.call('HGET', set, field) or '', '^(%d+) (.*)$')
  since, info = tonumber(since) or 0, info or ''
  for _, living in ipairs({ holders, leaving }) do
    for _, holder in ipairs(redis.call('ZRANGE', living, 0, 999)) do
      local _, otherSince, other = heldOf(redis.call('HGET', start .. ':held:' .. holder, field))
      if other ~= '' and otherSince > since then since, info = otherSince, other end
    end
  end
  return since, info
end
-- True if an incarnation holds the entry, one of older data or one of this epoch.
local function isHeldBy(isOfOlder, field)
  for _, living in ipairs({ holders, leaving }) do
    for _, holder in ipairs(redis.call('ZRANGE', living, 0, 999)) do
      local isOld = redis.call('HEXISTS', old, holder) == 1
      if isOld == isOfOlder and redis.call('HEXISTS', start .. ':held:' .. holder, field) == 1 then return true end
    end
  end
  return false
end
-- True if the leave was announced after the reporting node had last known the user to be there. What it had known is older than this epoch.
local function isGone(field)
  local left = isAnyGone and redis.call('HGET', gone, field)
  return left and (left == '0' or tonumber(left) > knownAt)
end
local function isWhole()
  return now >= tonumber(redis.call('HGET', presence, 'whole') or 0)
end
local function put(topic, user, connections, since, said, manner)
  local held, present, field = key('held:' .. me, 'hash'), key('present:' .. topic, 'hash'), topic .. '\\n' .. user
  if manner == '~' then
    if isGone(field) then return act('gone', topic, user, '') end
    manner = '='
  end
  local nodes, all, shownSince, shown = entryOf(present, user)
  local before = nodes > 0 and redis.call('HGET', held, field)
  local had, hadSince = heldOf(before)
  if isAnyOld and nodes > 0 and not before then
    -- Whether the user of older data has left since is known when the node that had the user is back.
    if manner == '+' and not isHeldBy(false, field) then redis.call('HSET', owed, field, 1)
    elseif manner ~= '+' then redis.call('HDEL', owed, field) end
  end
  redis.call('HSET', held, field, connections .. ' ' .. since .. ' ' .. said)
  local nextSince, info = shownSince, shown
  if said ~= '' and since >= shownSince then nextSince, info = since, said
  elseif before and hadSince >= shownSince then nextSince, info = newest(field) end
  local room, sequence = roomOf(present)
  local isJoin = nodes == 0 or (manner == '!' and before and nodes == 1)
  local kind = isJoin and 'joined' or info ~= shown and 'updated'
  -- A silent report was announced before. If the leave was announced since, it is a join like any other. If it arrives after all
  -- nodes have reported, watchers already miss it: announce it.
  local isBack = isJoin and isGone(field)
  if isAnyGone and isJoin then redis.call('HDEL', gone, field) end
  local isAloud = manner ~= '=' or isBack
  if kind and (isAloud or isWhole()) then
    sequence = announce(kind, topic, user, info, sequence)
    if isAloud then act(kind, topic, user, info) end
  elseif sequence == 0 then
    sequence = redis.call('HINCRBY', presence, 'changes', 1)
  end
  local more = connections - had
  redis.call('HSET', present, user, (before and nodes or nodes + 1) .. ' ' .. all + more .. ' ' .. nextSince .. ' ' .. info,
    '', room + more .. ' ' .. sequence)
  redis.call('PEXPIRE', present, keepMs)
end
local function take(holder, topic, user, isSilent)
  local held, present, field = key('held:' .. holder, 'hash'), key('present:' .. topic, 'hash'), topic .. '\\n' .. user
  local before = redis.call('HGET', held, field)
  redis.call('HDEL', held, field)
  local nodes, all, since, info = entryOf(present, user)
  if not before or nodes == 0 then return end
  local had, hadSince = heldOf(before)
  local room, sequence = roomOf(present)
  if nodes > 1 then
    local nextSince, shown = since, info
    if hadSince >= since then nextSince, shown = newest(field) end
    if shown ~= info then
      sequence = announce('updated', topic, user, shown, sequence)
      act('updated', topic, user, shown)
    end
    if isAnyOld and redis.call('HEXISTS', owed, field) == 1 then
      local isOver = not isHeldBy(true, field)
      local isThere = isHeldBy(false, field)
      if isOver and isThere and isSilent then
        sequence = announce('joined', topic, user, shown, sequence)
        act('joined', topic, user, shown)
      end
      if isOver or not isThere then redis.call('HDEL', owed, field) end
    end
    redis.call('HSET', present, user, nodes - 1 .. ' ' .. all - had .. ' ' .. nextSince .. ' ' .. shown)
  else
    redis.call('HDEL', present, user)
    redis.call('HDEL', set, field)
    if not isSilent or isWhole() then sequence = announce('left', topic, user, info, sequence) end
    if not isSilent then act('left', topic, user, info) end
    local doubt = tonumber(redis.call('HGET', presence, 'doubt') or 0)
    if now < doubt and not isSilent then
      redis.call('HSET', gone, field, 0)
      redis.call('PEXPIRE', gone, keepMs)
    end
  end
  if redis.call('HLEN', present) <= 1 then redis.call('DEL', present)
  else redis.call('HSET', present, '', room - had .. ' ' .. sequence) end
end
local function keep(...)
  for _, kept in ipairs({ ... }) do redis.call('PEXPIRE', kept, keepMs) end
end
local function answer(number)
  if #changes > 0 then redis.call('SET', told, number .. '\\n' .. cjson.encode(changes), 'PX', keepMs)
  else redis.call('DEL', told) end
  return changes
end
local function answerIn(kept)
  local of = kept and string.match(kept, '^(%d+)\\n')
  if of then return of, cjson.decode(string.sub(kept, #of + 2)) end
end
`;
