export type { ContractCase } from './contract-case.js';
export { clockContract } from './clock.contract.js';
export { connectionRegistryContract } from './connection-registry.contract.js';
export { idGeneratorContract } from './id-generator.contract.js';
export { jwtVerifierContract, type JwtVerifierSetup } from './jwt-verifier.contract.js';
export { messageBusContract } from './message-bus.contract.js';
export { nodeDirectoryContract, sharedNodeDirectoryContract } from './node-directory.contract.js';
export { pubSubManagerContract } from './pub-sub-manager.contract.js';
export { sharedMessageBusContract } from './shared-message-bus.contract.js';
