/**
 * Lua functions for scripts that need to know whether data of the server may have been lost.
 *
 * `losses()` returns how often keys were lost in this run of the server by a command that empties it, one of its slots or databases, or
 * exchanges its databases, or by eviction; -1 if the server does not tell. Keys that were deleted by name are not counted.
 *
 * `identity()` returns a text that is another one after each restart, and after each promotion of a replica; '' if the server does
 * not tell.
 *
 * `isPromoted()` returns true if the server may have been a replica before: it then has what had been replicated to it. A master that
 * has loaded a snapshot made for replicas counts, too. True if the server does not tell.
 *
 * `mayHaveLoaded()` returns true if the server has loaded data in this run, perhaps until a moment ago: its uptime includes the time
 * of loading. After an hour it counts as loaded long ago. True if the server does not tell, as before Redis 7, or keeps an append-only file.
 */
export const LOST_DATA_FUNCTIONS = `
local function infoOf(section)
  local info = redis.pcall('INFO', section)
  return type(info) == 'string' and info or ''
end
local function losses()
  local commands, lost = infoOf('commandstats'), string.match(infoOf('stats'), 'evicted_keys:(%d+)')
  if not lost or not string.find(commands, 'cmdstat_', 1, true) then return -1 end
  for _, name in ipairs({ 'flushall', 'flushdb', 'swapdb', 'sflush', 'cluster|flushslot' }) do
    lost = lost + (string.match(commands, 'cmdstat_' .. name .. ':calls=(%d+)') or 0)
  end
  return lost
end
local function identity()
  local run, data = string.match(infoOf('server'), 'run_id:(%w+)'), string.match(infoOf('replication'), 'master_replid:(%w+)')
  return run and data and run .. ' ' .. data or ''
end
local function isPromoted()
  return string.match(infoOf('replication'), 'second_repl_offset:(%-?%d+)') ~= '-1'
end
local function mayHaveLoaded()
  local uptime, persistence = string.match(infoOf('server'), 'uptime_in_seconds:(%d+)'), infoOf('persistence')
  if uptime and tonumber(uptime) >= 3600 then return false end
  for _, name in ipairs({ 'rdb_last_load_keys_loaded', 'rdb_last_load_keys_expired', 'aof_enabled' }) do
    if string.match(persistence, name .. ':(%d+)') ~= '0' then return true end
  end
  return false
end
`;
