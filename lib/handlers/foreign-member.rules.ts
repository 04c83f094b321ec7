import { marksOf } from '../decorators/handler-metadata.js';
import { RealtimeConfigurationError } from '../errors/realtime-configuration.error.js';
import type { MarkedClass } from './marked-class.js';
import {
  GATEWAY_METADATA,
  GATEWAY_SERVER_METADATA,
  MESSAGE_MAPPING_METADATA,
  MESSAGE_METADATA,
} from '../decorators/nest-metadata.js';

/** Methods that Nest calls in a class with `@WebSocketGateway()`, and what to use here. */
const LIFECYCLE: ReadonlyMap<PropertyKey, string> = new Map([
  ['handleConnection', 'mark it with @OnConnect()'],
  ['handleDisconnect', 'mark it with @OnDisconnect()'],
  ['afterInit', 'call it onApplicationBootstrap()'],
]);

/**
 * Stops the boot if a topic gateway has members that Nest serves only in a class with `@WebSocketGateway()`: nothing would
 * call a method or set a property. A class that is both is left alone.
 */
export function refuseForeignMembers({ provider, classRef, gateway }: MarkedClass): void {
  if (!gateway || Reflect.hasMetadata(GATEWAY_METADATA, classRef)) return;
  const prototype = classRef.prototype as object;
  const instance: unknown = provider.instance;
  const from = typeof instance === 'object' && instance !== null ? instance : prototype;
  for (const [member, value] of membersOf(from)) {
    const problem = explainMember(prototype, member, value);
    if (problem === undefined) continue;
    throw new RealtimeConfigurationError(`${classRef.name}.${String(member)}: ${problem}.`);
  }
}

function explainMember(prototype: object, member: PropertyKey, value: unknown): string | undefined {
  // Nest keeps this mark by the name of the property, for subclasses too.
  if (Reflect.hasMetadata(GATEWAY_SERVER_METADATA, prototype, member as string)) {
    return '@WebSocketServer() is never set in a @TopicGateway(); inject RealtimeService, which sends to topics and users';
  }
  if (typeof value !== 'function') return undefined;
  if (Reflect.hasMetadata(MESSAGE_MAPPING_METADATA, value)) {
    const message: unknown = Reflect.getMetadata(MESSAGE_METADATA, value);
    const type = typeof message === 'string' ? `'${message}'` : '';
    return `@SubscribeMessage(${type}) is never called in a @TopicGateway(); replace it with @OnMessage(${type || "'…'"})`;
  }
  const cure = LIFECYCLE.get(member);
  // One that a decorator of this package marks is called.
  if (cure === undefined || marksOf(value).length > 0) return undefined;
  return `Nest calls ${String(member)}() in a @WebSocketGateway(), but never in a @TopicGateway(); ${cure}`;
}

/** The members of an object and of what it inherits, each once: one that overrides another hides it. Getters are not called. */
function membersOf(from: object): Map<PropertyKey, unknown> {
  const members = new Map<PropertyKey, unknown>();
  for (let at: object | null = from; at && at !== Object.prototype; at = Object.getPrototypeOf(at) as object | null) {
    for (const key of Reflect.ownKeys(at)) {
      if (!members.has(key)) members.set(key, Reflect.getOwnPropertyDescriptor(at, key)?.value);
    }
  }
  return members;
}
