import { POSITION_LIFE_MS } from '../../../core/history/unpublished-epoch.js';

/** The highest offset that a script counts on from; far beyond, numbers in Lua and JavaScript are no longer exact. */
const MAX_OFFSET = 4_503_599_627_370_496;

/**
 * A Lua function for the history scripts: the position of a topic, in a hash of `epoch`, `offset` and `term`.
 *
 * With neither hash nor stream nothing is stored: the epoch is `unpublishedEpoch` of `core`, with the term and the time of Redis.
 * Without the hash, the stream cannot be distinguished from an older one, and is deleted. Offsets assigned in another term of
 * the server may have been lost since, and be assigned again: a new epoch begins, though the counter goes on.
 *
 * A term begins whenever a server continues with the data of another run of a server, which a hash of `run` and `term` for
 * all topics shows. A run per topic would not show it: a master that was replaced, became a replica of the new master and is
 * a master again has the same run, but has lost what the new master never had, also in topics that nobody used there.
 *
 * Positions of the terms in `former` of that hash are as good as those of the term itself: the slot has come here by planned
 * moves, see `adoptScript`. A topic without a past gets an epoch of the new term nevertheless: if the move has dropped its
 * position, an epoch named by the former term could come twice.
 *
 * A term is kept for as long as the longest position that was given out in it (`outlive`): a position without its term is taken
 * for one of another term.
 *
 * It takes the keys of the hash, the stream and the term, the server's run, a name for what is new (an epoch, a term), and the
 * `topicTag` of `core`. It returns the epoch, the offset and the term.
 */
export const STREAM_POSITION = `
local function outlive(key, lifeMs)
  if redis.call('PTTL', key) < tonumber(lifeMs) then redis.call('PEXPIRE', key, lifeMs) end
end
local function isName(text) return text and #text <= 64 and string.match(text, '^[%w_-]+$') end
local function position(hash, stream, key, run, candidate, tag)
  local last = redis.pcall('HMGET', key, 'run', 'term', 'former')
  local term = last[1] == run and isName(last[2]) and last[2]
  if not term then
    term = candidate
    if last.err then redis.call('DEL', key) else redis.call('HDEL', key, 'former') end
    redis.call('HSET', key, 'run', run, 'term', term)
    last = {}
  end
  local found = redis.pcall('HMGET', hash, 'epoch', 'offset', 'term')
  local epoch, offset = found[1], string.match(found[2] or '', '^%d+$') and tonumber(found[2])
  if not isName(epoch) or not offset or offset > ${MAX_OFFSET} then
    if redis.call('EXISTS', hash, stream) == 0 then
      return term .. '-' .. tag .. '-' .. math.floor(redis.call('TIME')[1] / ${POSITION_LIFE_MS / 1_000}), 0, term
    end
    redis.call('DEL', hash, stream)
    redis.call('HSET', hash, 'epoch', candidate, 'offset', 0, 'term', term)
    return candidate, 0, term
  end
  if found[3] ~= term then
    local isKept = last[3] and isName(found[3]) and string.find(' ' .. last[3] .. ' ', ' ' .. found[3] .. ' ', 1, true)
    epoch = isKept and epoch or candidate
    redis.call('HSET', hash, 'epoch', epoch, 'term', term)
  end
  return epoch, offset, term
end
`;
