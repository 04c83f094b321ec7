import type { WireError } from '../core/protocol/error-code.js';

/** No gateway's pattern matches the topic. */
export const NO_TOPIC: WireError = { code: 'TOPIC_NOT_FOUND', message: 'There is no such topic.' };

/** What is asked for is for subscribers of the topic. */
export const NOT_SUBSCRIBED: WireError = { code: 'FORBIDDEN', message: 'Subscribe to the topic first.' };
