import type { WireError } from '../core/protocol/error-code.js';

/** No gateway's pattern matches the topic. */
export const NO_TOPIC: WireError = { code: 'TOPIC_NOT_FOUND', message: 'There is no such topic.' };

/** The error for a request that only subscribers of the topic may make. */
export const NOT_SUBSCRIBED: WireError = { code: 'FORBIDDEN', message: 'Subscribe to the topic first.' };
