import { ValidateBy, ValidateIf, ValidateNested, validateSync, type ValidationError } from 'class-validator';
import { explainJwtOptions } from './adapters/jwt/jwt-options.js';
import { describeProblems, type Problem } from './core/problem.js';
import { isOrigin } from './core/origin.js';
import { MAX_TOPIC_LENGTH } from './core/topic.js';
import { RealtimeConfigurationError } from './errors/realtime-configuration.error.js';
import type { RealtimeOptions } from './realtime.options.js';

/** Declares what an option must be; it may always be left out. `cure` ends the sentence "<option> must be …". */
function MustBe(cure: string, test: (value: unknown) => boolean): PropertyDecorator {
  const valid = ValidateBy({ name: 'mustBe', validator: { validate: test, defaultMessage: () => `must be ${cure}` } });
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

function Milliseconds(example: number): PropertyDecorator {
  // Node's timers hold 31 bits.
  return Limit('of milliseconds', example, { min: 1, max: 2_147_483_647 });
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

/** An options object of its own; its options are checked by its own schema. */
function Section(): PropertyDecorator {
  const object = MustBe('an object', (value) => typeof value === 'object' && value !== null);
  return (target, property) => [object, ValidateNested()].forEach((decorate) => decorate(target, property));
}

class TokenSchema {
  @MustBe('the name of a query parameter, or false', (value) => value === false || isText(value)) query: unknown;
  @IsFunction('(request) => string | undefined') from: unknown;
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
  @Limit('of levels', 32) maxJsonDepth: unknown;
  @Limit('of keys', 1_000) maxJsonKeys: unknown;
  @Limit('of topics', 128) maxTopicsPerConnection: unknown;
  @Limit('of characters', MAX_TOPIC_LENGTH, { max: MAX_TOPIC_LENGTH }) maxTopicLength: unknown;
  @Limit('of commands', 64) mailboxSize: unknown;
  @Milliseconds(10_000) authTimeoutMs: unknown;
  @Limit('of bytes', 1_048_576, { min: 1_024 }) sendQueueBytes: unknown;
}

class HeartbeatSchema {
  @Milliseconds(25_000) intervalMs: unknown;
  @Milliseconds(10_000) timeoutMs: unknown;
}

class DrainSchema {
  @Milliseconds(30_000) timeoutMs: unknown;
}

class OptionsSchema {
  @MustBe('a path like "/ws", without query or fragment', (value) => isText(value) && /^\/[^?#\s]*$/.test(value))
  path: unknown;
  @IsBoolean() useGlobalPrefix: unknown;
  @MustBe('an object like { secret, algorithms: ["HS256"] }', (value) => typeof value === 'object' && value !== null)
  jwt: unknown;
  @IsFunction('(claims) => ({ userId, roles?, permissions?, metadata? })') claims: unknown;
  @Section() token: unknown;
  @MustBe('a list of origins like "https://app.example.com" (nothing behind the host and port), or "*"', isOrigins)
  allowedOrigins: unknown;
  @MustBe('how many proxies to trust, or a list of their addresses and CIDR ranges', isProxies) trustProxy: unknown;
  @Section() authorize: unknown;
  @Section() limits: unknown;
  @Section() heartbeat: unknown;
  @Section() drain: unknown;
  @IsBoolean() report: unknown;
}

const SECTIONS = {
  token: TokenSchema,
  authorize: AuthorizeSchema,
  limits: LimitsSchema,
  heartbeat: HeartbeatSchema,
  drain: DrainSchema,
} as const;

/**
 * Checks the options of `forRoot()`, all of them at once.
 * @throws RealtimeConfigurationError that names each wrong option, what is wrong with its value, and the cure
 */
export function assertOptions(options: unknown): asserts options is RealtimeOptions {
  const problems = explainOptions(options);
  if (problems.length > 0) {
    throw new RealtimeConfigurationError(`RealtimeModule options: ${describeProblems(problems)}`);
  }
}

function explainOptions(options: unknown): Problem[] {
  if (typeof options !== 'object' || options === null) return [{ at: 'options', message: 'must be an object' }];
  const schema = Object.assign(new OptionsSchema(), options);
  for (const [name, Schema] of Object.entries(SECTIONS) as [keyof typeof SECTIONS, new () => object][]) {
    const section = schema[name];
    if (typeof section === 'object' && section !== null) schema[name] = Object.assign(new Schema(), section);
  }
  const errors = validateSync(schema, { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: true });
  const problems = errors.flatMap((error) => problemsOf(error, ''));
  if (typeof schema.jwt === 'object' && schema.jwt !== null) {
    problems.push(...explainJwtOptions(schema.jwt as never).map(({ at, message }) => ({ at: `jwt.${at}`, message })));
  }
  return problems;
}

function problemsOf(
  { property, value, target, constraints = {}, children = [] }: ValidationError,
  parent: string,
): Problem[] {
  const at = parent + property;
  if ('whitelistValidation' in constraints) {
    const known = Object.keys(new (target!.constructor as new () => object)()).join(', ');
    return [{ at, message: `is not an option; the options here are: ${known}` }];
  }
  const own = Object.values(constraints).map((message) => ({ at, message: `${message}; got ${describe(value)}` }));
  return [...own, ...children.flatMap((child) => problemsOf(child, `${at}.`))];
}

/** Short, and without quoting objects: they may hold secrets. */
function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (Array.isArray(value)) return `[${value.map(describe).join(', ')}]`;
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
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
  return typeof value === 'string' && /^[0-9a-fA-F.:]+(\/\d{1,3})?$/.test(value);
}
