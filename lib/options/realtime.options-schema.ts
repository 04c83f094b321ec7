import {
  ValidateBy,
  ValidateIf,
  ValidateNested,
  validateSync,
  type ValidationArguments,
  type ValidationError,
} from 'class-validator';
import { isIP } from 'node:net';
import { explainJwtOptions } from '../adapters/jwt/jwt-options.js';
import { RETENTION_LIMITS } from '../core/history/history.js';
import { describeProblems, type Problem } from '../core/base/problem.js';
import { isOrigin } from '../core/connection/origin.js';
import { MAX_TOPIC_LENGTH } from '../core/topic/topic.js';
import { RealtimeConfigurationError } from '../errors/realtime-configuration.error.js';
import type { RealtimeOptions } from './realtime.options.js';

/**
 * Declares the valid values of an option; every option may be omitted.
 * @param cure the end of the sentence "<option> must be …"
 * @param got describes the invalid value
 */
function MustBe(cure: string, test: (value: unknown) => boolean, got = quoted): PropertyDecorator {
  const defaultMessage = (args?: ValidationArguments) => `must be ${cure}; got ${got(args?.value)}`;
  const valid = ValidateBy({ name: 'mustBe', validator: { validate: test, defaultMessage } });
  const given = ValidateIf((_options, value) => value !== undefined);
  return (target, property) => [valid, given].forEach((decorate) => decorate(target, property));
}

function Limit(unit: string, example: number, { min = 1, max = Infinity } = {}): PropertyDecorator {
  const range = max === Infinity ? `of at least ${min}, or Infinity to turn the limit off` : `from ${min} to ${max}`;
  return MustBe(`a whole number ${unit} ${range}; for example ${example}`, (value) => {
    if (typeof value !== 'number' || value < min || value > max) return false;
    return Number.isInteger(value) || value === Infinity;
  });
}

function Milliseconds(example: number, min = 1): PropertyDecorator {
  // Node's timers hold 31 bits.
  return Limit('of milliseconds', example, { min, max: 2_147_483_647 });
}

function IsFunction(signature: string): PropertyDecorator {
  return MustBe(`a function ${signature}`, (value) => typeof value === 'function');
}

function IsBoolean(): PropertyDecorator {
  return MustBe('true or false', (value) => typeof value === 'boolean');
}

function Names(): PropertyDecorator {
  return MustBe('a list of non-empty strings', isListOf(isText));
}

/** The value is never quoted: it may be a secret that was meant for a field of the object. */
function IsObject(cure = 'an object'): PropertyDecorator {
  return MustBe(cure, isObject, kindOf);
}

/** A nested options object, checked by its own schema. */
function Section(): PropertyDecorator {
  return (target, property) => [IsObject(), ValidateNested()].forEach((decorate) => decorate(target, property));
}

class TokenSchema {
  @MustBe('the name of a query parameter, or false', (value) => value === false || isText(value)) query: unknown;
  @IsFunction('(request) => string | undefined, or a promise of that') from: unknown;
  @IsBoolean() fromIsNotSentByBrowsers: unknown;
  @IsBoolean() firstCommand: unknown;
}

class AuthorizeSchema {
  @Names() roles: unknown;
  @Names() permissions: unknown;
  @IsBoolean() allowExpired: unknown;
}

class LimitsSchema {
  @Limit('of bytes', 65_536, { min: 128 }) maxMessageBytes: unknown;
  @Limit('of fragments', 64) maxFragments: unknown;
  @Limit('of chunks', 1_024) maxBufferedChunks: unknown;
  @Limit('of pongs', 60) maxPendingPongs: unknown;
  @Limit('of commands', 20) commandsPerSecond: unknown;
  @Limit('of commands', 100) commandBurst: unknown;
  @Limit('of commands', 500) totalCommandsPerSecond: unknown;
  @Limit('of violations', 20) maxViolationsPerMinute: unknown;
  @Limit('of levels', 32) maxJsonDepth: unknown;
  @Limit('of keys', 1_000) maxJsonKeys: unknown;
  @Limit('of values', 10_000) maxJsonValues: unknown;
  @Limit('of publications', 300, { max: 10_000 }) maxHistoryPage: unknown;
  @Limit('of topics', 128) maxTopicsPerConnection: unknown;
  @Limit('of characters', MAX_TOPIC_LENGTH, { max: MAX_TOPIC_LENGTH }) maxTopicLength: unknown;
  @Limit('of users', 1_000) maxPresenceUsers: unknown;
  @Limit('of bytes', 1_024) maxPresenceInfoBytes: unknown;
  @Limit('of commands', 64) mailboxSize: unknown;
  @Limit('of bytes', 262_144, { min: 1_024 }) mailboxBytes: unknown;
  @Limit('of bytes', 134_217_728, { min: 1_024 }) totalMailboxBytes: unknown;
  @Limit('of connections', 20_000) maxConnections: unknown;
  @Limit('of connections', 20) maxConnectionsPerUser: unknown;
  @Limit('of requests', 500) acceptsPerSecond: unknown;
  @Limit('of clients', 1_000) maxUnauthenticated: unknown;
  @Limit('of clients', 20) maxUnauthenticatedPerIp: unknown;
  @Limit('of attempts', 20) refusedPerSecondPerIp: unknown;
  @Milliseconds(10_000) authTimeoutMs: unknown;
  @Limit('of bytes', 1_048_576, { min: 1_024 }) sendQueueBytes: unknown;
  @Limit('of bytes', 268_435_456, { min: 1_024 }) totalSendQueueBytes: unknown;
  @Limit('of milliseconds', 10_000) writeStallMs: unknown;
}

class HeartbeatSchema {
  @Milliseconds(25_000) intervalMs: unknown;
  @Milliseconds(10_000) timeoutMs: unknown;
}

class DrainSchema {
  @Milliseconds(30_000) timeoutMs: unknown;
}

class PresenceSchema {
  @Milliseconds(10_000, 0) graceMs: unknown;
  @Milliseconds(250, 0) coalesceMs: unknown;
  @IsBoolean() online: unknown;
}

class CompressionSchema {
  @Limit('of characters', 1_024) minLength: unknown;
}

class CentrifugeSchema {
  @MustBe('a path like "/ws/connection/websocket", without query or fragment', isPath) path: unknown;
  @MustBe('true, false, or an object like { size: 100, ttlMs: 3600000 }', isSwitchOrObject)
  @ValidateNested()
  personalTopics: unknown;
}

class PersonalTopicsSchema {
  @Limit('of messages', 100, RETENTION_LIMITS.size) size: unknown;
  @Limit('of milliseconds', 3_600_000, RETENTION_LIMITS.ttlMs) ttlMs: unknown;
}

class OptionsSchema {
  @MustBe('a path like "/ws", without query or fragment', isPath) path: unknown;
  @IsBoolean() useGlobalPrefix: unknown;
  @IsObject('an object like { secret, algorithms: ["HS256"] }') jwt: unknown;
  @IsFunction('(claims, info) => ({ userId, roles?, permissions?, metadata? })') claims: unknown;
  @IsFunction('(info, identity) => ({ locale: "en" }), or a promise of that') metadata: unknown;
  @IsFunction('(claims) => boolean') isRevoked: unknown;
  @Section() token: unknown;
  @MustBe('a list of origins like "https://app.example.com" (nothing after the host and port), or "*"', isOrigins)
  allowedOrigins: unknown;
  @MustBe('the number of proxies to trust, or a list of their addresses and CIDR ranges', isProxies)
  trustProxy: unknown;
  @Section() authorize: unknown;
  @Section() limits: unknown;
  @Section() heartbeat: unknown;
  @Section() drain: unknown;
  @Section() presence: unknown;
  @IsBoolean() report: unknown;
  @MustBe('true, false, or an object like { minLength: 1024 }', isSwitchOrObject)
  @ValidateNested()
  compression: unknown;
  @MustBe('true, false, or an object like { path: "/ws/connection/websocket" }', isSwitchOrObject)
  @ValidateNested()
  centrifuge: unknown;
}

const ANY_ORIGIN =
  'must not be "*" beside token.from: if that reads a cookie, any website can connect as the user who visits it. List the origins of ' +
  'your pages, for example ["https://app.example.com"], or set token.fromIsNotSentByBrowsers to true if token.from reads nothing ' +
  'that browsers send by themselves';

const SECTIONS = {
  token: TokenSchema,
  authorize: AuthorizeSchema,
  limits: LimitsSchema,
  heartbeat: HeartbeatSchema,
  drain: DrainSchema,
  presence: PresenceSchema,
  compression: CompressionSchema,
  centrifuge: CentrifugeSchema,
} as const;

/**
 * Checks all options of `forRoot()`.
 * @throws RealtimeConfigurationError that names each invalid option, its value and the valid values
 */
export function assertOptions(options: unknown): asserts options is RealtimeOptions {
  const problems = explainOptions(options);
  if (problems.length > 0) {
    throw new RealtimeConfigurationError(`RealtimeModule options: ${describeProblems(problems)}`);
  }
}

function explainOptions(options: unknown): Problem[] {
  if (!isObject(options)) {
    const cure = 'an object like { jwt: { secret, algorithms: ["HS256"] } }';
    return [{ at: 'options', message: `must be ${cure}; got ${kindOf(options)} (does useFactory return it?)` }];
  }
  const schema = Object.assign(new OptionsSchema(), options);
  for (const [name, Schema] of Object.entries(SECTIONS) as [keyof typeof SECTIONS, new () => object][]) {
    const section = schema[name];
    if (isObject(section)) schema[name] = Object.assign(new Schema(), section);
  }
  if (schema.centrifuge instanceof CentrifugeSchema && isObject(schema.centrifuge.personalTopics)) {
    schema.centrifuge.personalTopics = Object.assign(new PersonalTopicsSchema(), schema.centrifuge.personalTopics);
  }
  const errors = validateSync(schema, { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: true });
  const problems = errors.flatMap((error) => problemsOf(error, ''));
  if (isObject(schema.jwt)) {
    problems.push(...explainJwtOptions(schema.jwt as never).map(({ at, message }) => ({ at: `jwt.${at}`, message })));
  }
  const { path = '/ws', centrifuge, allowedOrigins, token } = schema;
  if (allowedOrigins === '*' && token instanceof TokenSchema && token.from !== undefined) {
    if (token.fromIsNotSentByBrowsers !== true) problems.push({ at: 'allowedOrigins', message: ANY_ORIGIN });
  }
  if (isObject(centrifuge) && 'path' in centrifuge && centrifuge.path === path) {
    problems.push({ at: 'centrifuge.path', message: 'must differ from the path of the plain protocol' });
  }
  return problems;
}

function problemsOf({ property, target, constraints = {}, children = [] }: ValidationError, parent: string): Problem[] {
  const at = parent + property;
  if ('whitelistValidation' in constraints) {
    const known = Object.keys(new (target!.constructor as new () => object)()).join(', ');
    return [{ at, message: `is not an option; the options are: ${known}` }];
  }
  const { mustBe } = constraints;
  const own = mustBe === undefined ? [] : [{ at, message: mustBe }];
  return [...own, ...children.flatMap((child) => problemsOf(child, `${at}.`))];
}

/** Describes a value in short. Objects are not quoted, because they may hold secrets. */
function quoted(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (Array.isArray(value)) return `[${value.map(quoted).join(', ')}]`;
  return isObject(value) || typeof value === 'function' ? kindOf(value) : String(value);
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSwitchOrObject(value: unknown): boolean {
  return typeof value === 'boolean' || isObject(value);
}

function isPath(value: unknown): boolean {
  return isText(value) && /^\/[^?#\s]*$/.test(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0;
}

function isListOf(test: (value: unknown) => boolean) {
  return (value: unknown): boolean => Array.isArray(value) && value.every(test);
}

function isOrigins(value: unknown): boolean {
  return value === '*' || isListOf(isOrigin)(value);
}

function isProxies(value: unknown): boolean {
  return (typeof value === 'number' && Number.isInteger(value) && value >= 0) || isListOf(isAddressOrRange)(value);
}

function isAddressOrRange(value: unknown): boolean {
  const [address = '', prefix, ...rest] = typeof value === 'string' ? value.split('/') : [];
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)]!;
  if (bits < 0 || rest.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits);
}
