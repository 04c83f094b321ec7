import { RealtimeError } from './realtime.error.js';

/** The error of a publish or a query after this node has closed its bus, as it does when the application ends. */
export function busClosed(): RealtimeError {
  return new RealtimeError('UNAVAILABLE', 'This node has left the bus: the application is closing or closed.');
}
