/**
 * Streams for clients, in browsers and in Node.js, without a dependency.
 * @module nestjs-realtime/client
 */
export { streamRpc, type RpcClient, type RpcData } from './stream-rpc.js';
export { streamMessage, type StreamCommand } from './stream-message.js';
export {
  followStream,
  type FollowOptions,
  type MissingPieces,
  type StreamSubscription,
  type TopicOfSocket,
} from './follow-stream.js';
export type { StreamOptions } from './item-queue.js';
export type { Listener } from './listener.js';
export type { PlainSocket } from './plain-socket.js';
export { RealtimeStreamError } from './stream-error.js';
export type {
  AuthCommand,
  CancelCommand,
  HistoryCommand,
  MessageCommand,
  PingCommand,
  PresenceCommand,
  RealtimeCommand,
  SubscribeCommand,
  UnsubscribeCommand,
} from './commands.js';
export type {
  AuthenticatedFrame,
  CompleteFrame,
  DroppedFrame,
  ErrorFrame,
  ExpiringFrame,
  HistoryFrame,
  JoinedFrame,
  LeftFrame,
  MessageFrame,
  PingFrame,
  PongFrame,
  PresenceFrame,
  PresenceResetFrame,
  RealtimeFrame,
  ReplyFrame,
  SubscribedFrame,
  SystemFrame,
  UnsubscribedFrame,
  UpdatedFrame,
  WelcomeFrame,
} from './frames.js';
