import { RedisScript } from '../connection/redis-script.js';
import { STREAM_POSITION } from './stream-position.js';

/**
 * Reads the position of a topic, and a range of its publications.
 *
 * KEYS: the position of the topic (hash); its publications (stream); the term of the server (hash).
 * ARGV: the server's run; the name of a new epoch, should there be one; for how long the position is kept, in milliseconds; XRANGE or XREVRANGE; from and to which id; how many; the tag of the topic.
 * Returns the epoch, the offset, and the entries of the stream: id, and a list of `text` and the text.
 */
export const readScript = new RedisScript(`${STREAM_POSITION}
local epoch, offset = position(KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[2], ARGV[8])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
outlive(KEYS[3], ARGV[3])
local entries = {}
if ARGV[7] ~= '0' and offset > 0 then
  entries = redis.pcall(ARGV[4], KEYS[2], ARGV[5], ARGV[6], 'COUNT', ARGV[7])
  if entries.err then
    redis.call('DEL', KEYS[2])
    entries = {}
  end
end
return { epoch, string.format('%.0f', offset), entries }
`);
