/**
 * Verifies tokens with the keys that identity providers publish.
 * @module nestjs-realtime/jwks
 */
export { jwksVerifier, type JwksAsyncOptions } from './jwks-verifier.provider.js';
export { JwksVerifier } from './jwks-verifier.js';
export type { JwksAlgorithm, JwksOptions } from './jwks-options.js';
export type { JwksRefusalReason } from './jwks-refusal.js';
