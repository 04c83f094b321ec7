/**
 * A function in Lua for the scripts of histories: where a topic stands, in a hash of `epoch`, `offset` and `run`.
 *
 * Without the hash, what is in the stream cannot be told from something older, and goes. What was counted in another run of
 * the server may have been lost since, and be counted again: the epoch is another one, though the counter goes on.
 * It takes the keys of the hash and the stream, the server's run, and the name of a new epoch, should there be one.
 */
export const STREAM_POSITION = `
local function position(hash, stream, run, candidate)
  local found = redis.pcall('HMGET', hash, 'epoch', 'offset', 'run')
  local epoch, offset = found[1], tonumber(found[2] or nil)
  if not epoch or not offset or not string.match(epoch, '^[%w_-]+$') then
    if redis.call('EXISTS', hash, stream) > 0 then redis.call('DEL', hash, stream) end
    redis.call('HSET', hash, 'epoch', candidate, 'offset', 0, 'run', run)
    return candidate, 0
  end
  if found[3] ~= run then
    redis.call('HSET', hash, 'epoch', candidate, 'run', run)
    return candidate, offset
  end
  return epoch, offset
end
`;
