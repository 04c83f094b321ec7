/**
 * The test kit for applications, and the contracts of the ports.
 * @module nestjs-realtime/testing
 */
import 'reflect-metadata';

export { TestJwtVerifier, testToken } from './test-jwt-verifier.js';
export { RecordingConnection, type RecordingSubscribeOptions } from './recording-connection.js';
export { RecordingRealtimeService, type SentMessage } from './recording-realtime.service.js';
export {
  TestClient,
  UpgradeRefusedError,
  type ClientSocket,
  type Closed,
  type FrameTest,
  type TestClientOptions,
} from './test-client.js';
export type { ReceivedFrame } from './received-frame.js';
export { startTestApp, type TestApp, type TestAppOptions } from './test-app.js';

export {
  clockContract,
  connectionRegistryContract,
  historyStoreContract,
  idGeneratorContract,
  jwtVerifierContract,
  messageBusContract,
  nodeDirectoryContract,
  presenceStoreContract,
  pubSubManagerContract,
  sharedHistoryStoreContract,
  sharedMessageBusContract,
  sharedNodeDirectoryContract,
  sharedPresenceStoreContract,
  type ContractCase,
  type HistoryStoreSetup,
  type JwtVerifierSetup,
  type PresenceSetup,
} from './contracts/index.js';
