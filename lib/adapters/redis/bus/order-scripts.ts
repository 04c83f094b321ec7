import { LOST_DATA_FUNCTIONS } from '../connection/lost-data.js';
import { RedisScript } from '../connection/redis-script.js';

/** Most orders that are kept in one partition. */
export const MAX_KEPT_ORDERS = 4_096;

/** The retention of orders after the last one of their partition, in milliseconds. */
export const ORDER_LIFE_MS = 24 * 60 * 60 * 1_000;

/**
 * Stores an order for nodes that are cut off, and publishes it.
 *
 * KEYS: the orders of the partition (stream).
 * ARGV: PUBLISH or SPUBLISH; the channel; the frame.
 * Returns the number of nodes that received it, and the reason why it was not stored ('' if it was): if Redis refuses to
 * store it, it is still published.
 */
export const publishOrderScript = new RedisScript(`
local entry = { KEYS[1], 'MAXLEN', '=', ${MAX_KEPT_ORDERS}, '*', 'channel', ARGV[2], 'frame', ARGV[3] }
local added = redis.pcall('XADD', unpack(entry))
if type(added) == 'table' and added.err and string.find(added.err, 'WRONGTYPE', 1, true) then
  redis.call('DEL', KEYS[1])
  added = redis.pcall('XADD', unpack(entry))
end
local isKept = type(added) == 'string'
if isKept then redis.call('PEXPIRE', KEYS[1], ${ORDER_LIFE_MS}) end
return { redis.call(ARGV[1], ARGV[2], ARGV[3]), isKept and '' or added.err }
`);

/**
 * Reads the recent orders.
 *
 * KEYS: the orders of the partition (stream).
 * ARGV: how far to look back, in milliseconds.
 * Returns the time by Redis's clock, 1 if orders of that period may have been dropped, and the entries, oldest first.
 */
export const readOrdersScript = new RedisScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local since = string.format('%.0f', math.max(0, now - ARGV[1]))
local entries = redis.pcall('XRANGE', KEYS[1], since, '+')
if entries.err then return { now, 0, {} } end
local isCut = #entries >= ${MAX_KEPT_ORDERS} and 1 or 0
return { now, isCut, entries }
`);

/** Reads by what a server tells whether it has lost data: its identity, the number of its losses, and 1 if it may have been a replica. */
export const dataMarkScript = new RedisScript(`
${LOST_DATA_FUNCTIONS}
return { identity(), losses(), isPromoted() and 1 or 0 }
`);
