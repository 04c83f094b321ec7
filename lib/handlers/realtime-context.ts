export { realtimeContextOf, type HandlerEvent, type RealtimeContext } from '../decorators/realtime-context.js';
