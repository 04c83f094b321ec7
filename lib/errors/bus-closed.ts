import { RealtimeError } from './realtime.error.js';

/** The error of whoever publishes or asks after the bus of this node was closed, as it is when the application ends. */
export function busClosed(): RealtimeError {
  return new RealtimeError('UNAVAILABLE', 'This node has left the bus: the application is closing or closed.');
}
