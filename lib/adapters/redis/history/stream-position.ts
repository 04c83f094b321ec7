import { RETENTION_LIMITS } from '../../../core/history/history.js';
import { positionLifeMs } from '../../../core/history/publication-stream.js';
import { POSITION_LIFE_MS } from '../../../core/history/unpublished-epoch.js';

/** For how long a term is kept after it was last looked at, in milliseconds: it has to outlive every position. */
export const TERM_LIFE_MS = positionLifeMs(RETENTION_LIMITS.ttlMs.max);

/**
 * A function in Lua for the scripts of histories: where a topic stands, in a hash of `epoch`, `offset` and `term`.
 *
 * With neither hash nor stream nothing is stored: the epoch is `unpublishedEpoch` of `core`, with the term and the time of Redis.
 * Without the hash, what is in the stream cannot be told from something older, and goes. What was counted in another term of
 * the server may have been lost since, and be counted again: the epoch is another one, though the counter goes on.
 *
 * A term begins whenever a server is found to go on with what another run of a server has left, which a hash of `run` and `term`
 * for all topics tells. That of a topic alone would not: a master that was replaced, became a replica of the new one
 * and is a master again has the same run, and has lost what the new one never had, of topics too that nobody used there.
 *
 * It takes the keys of the hash, the stream and the term, the server's run, a name for what is new (an epoch, a term), and the
 * `topicTag` of `core`. It returns
 * the epoch, the offset and the term.
 */
export const STREAM_POSITION = `
local function position(hash, stream, key, run, candidate, tag)
  local last = redis.pcall('HMGET', key, 'run', 'term')
  local term = last[1] == run and last[2]
  if not term then
    term = candidate
    if last.err then redis.call('DEL', key) end
    redis.call('HSET', key, 'run', run, 'term', term)
  end
  local found = redis.pcall('HMGET', hash, 'epoch', 'offset', 'term')
  local epoch, offset = found[1], tonumber(found[2] or nil)
  if not epoch or not offset or not string.match(epoch, '^[%w_-]+$') then
    if redis.call('EXISTS', hash, stream) == 0 then
      return term .. '-' .. tag .. '-' .. math.floor(redis.call('TIME')[1] / ${POSITION_LIFE_MS / 1_000}), 0, term
    end
    redis.call('DEL', hash, stream)
    redis.call('HSET', hash, 'epoch', candidate, 'offset', 0, 'term', term)
    return candidate, 0, term
  end
  if found[3] ~= term then
    redis.call('HSET', hash, 'epoch', candidate, 'term', term)
    return candidate, offset, term
  end
  return epoch, offset, term
end
`;
