import { RedisScript } from './redis-script.js';

/** The longest list of former terms; positions of older terms get a new epoch. */
const MAX_FORMER = 2_048;

/**
 * Lets the data of a partition go on at another server, to which a planned move has brought it: positions of histories keep their
 * epochs, and so does presence. Has no effect if a script has already begun something new there.
 *
 * KEYS: the term of the server (hash); the hash of presence.
 * ARGV: the run of the former server; the run of this one; the name of a new term.
 */
export const adoptScript = new RedisScript(`
if string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') ~= ARGV[2] then return 0 end
local last = redis.pcall('HMGET', KEYS[1], 'run', 'term', 'former')
if last[1] == ARGV[1] and last[2] then
  local former = last[2] .. ' ' .. (last[3] or '')
  redis.call('HSET', KEYS[1], 'run', ARGV[2], 'term', ARGV[3], 'former', string.sub(former, 1, ${MAX_FORMER}))
end
if redis.pcall('HGET', KEYS[2], 'run') == ARGV[1] then redis.call('HSET', KEYS[2], 'run', ARGV[2]) end
return 1
`);
