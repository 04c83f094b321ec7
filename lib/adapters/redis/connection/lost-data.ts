/**
 * Lua functions for scripts that need to know whether data of the server may have been lost.
 *
 * `losses()` returns how often keys were lost in this run of the server by a command that empties it or exchanges its databases, or
 * by eviction; -1 if the server does not tell. Keys that were deleted by name are not counted.
 *
 * `identity()` returns a text that is another one after each restart, and after each promotion of a replica; '' if the server does
 * not tell.
 */
export const LOST_DATA_FUNCTIONS = `
local function infoOf(section)
  local info = redis.pcall('INFO', section)
  return type(info) == 'string' and info or ''
end
local function losses()
  local commands, lost = infoOf('commandstats'), string.match(infoOf('stats'), 'evicted_keys:(%d+)')
  if not lost or not string.find(commands, 'cmdstat_', 1, true) then return -1 end
  for _, name in ipairs({ 'flushall', 'flushdb', 'swapdb' }) do
    lost = lost + (string.match(commands, 'cmdstat_' .. name .. ':calls=(%d+)') or 0)
  end
  return lost
end
local function identity()
  local run, data = string.match(infoOf('server'), 'run_id:(%w+)'), string.match(infoOf('replication'), 'master_replid:(%w+)')
  return run and data and run .. ' ' .. data or ''
end
`;
