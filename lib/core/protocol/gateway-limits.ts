import type { Problem } from '../base/problem.js';
import type { Rate } from '../base/token-bucket.js';
import type { Decoded } from './decoded.js';

/** The limits of one topic gateway for the `message` commands of a connection. */
export interface GatewayLimits {
  /** Commands per second in the long run, counted apart from the connection's other commands. */
  readonly commandsPerSecond?: number;
  /** Commands in a burst after a silence. Default: those of {@link BURST_SECONDS}. */
  readonly commandBurst?: number;
  /** Size of one command, in bytes. */
  readonly maxMessageBytes?: number;
}

/** The default burst lasts as long as that of a connection with default limits, in seconds. */
const BURST_SECONDS = 5;

/** The names of the limits, with the smallest value of each and an example. */
const LIMITS: { readonly [K in keyof Required<GatewayLimits>]: readonly [min: number, unit: string, example: number] } =
  {
    commandsPerSecond: [1, 'commands', 60],
    commandBurst: [1, 'commands', 120],
    maxMessageBytes: [128, 'bytes', 1_024],
  };

/** Returns the rate of a gateway that has a rate of its own, else nothing. */
export function gatewayRateOf({ commandsPerSecond, commandBurst }: GatewayLimits): Rate | undefined {
  if (commandsPerSecond === undefined) return undefined;
  return { perSecond: commandsPerSecond, burst: commandBurst ?? commandsPerSecond * BURST_SECONDS };
}

/** Returns the size of the largest message that any gateway takes, in bytes. @param common that of all other commands */
export function largestMessage(all: readonly GatewayLimits[], common: number): number {
  return all.reduce((largest, { maxMessageBytes = common }) => Math.max(largest, maxMessageBytes), common);
}

/** Returns the size that a command may have, in bytes. @param common that of every command but messages to gateways with a limit */
export function sizeLimitOf(decoded: Decoded, limits: GatewayLimits | undefined, common: number): number {
  const isMessage = decoded.ok && decoded.command.action === 'message';
  return isMessage ? (limits?.maxMessageBytes ?? common) : common;
}

/** Explains what is wrong with the limits that an application has declared. */
export function explainGatewayLimits(limits: unknown): Problem[] {
  if (typeof limits !== 'object' || limits === null || Array.isArray(limits)) {
    return [{ at: 'limits', message: 'must be an object like { commandsPerSecond: 60, commandBurst: 120 }' }];
  }
  const problems: Problem[] = [];
  for (const [name, value] of Object.entries(limits)) {
    if (!Object.hasOwn(LIMITS, name)) {
      const known = Object.keys(LIMITS).join(', ');
      problems.push({ at: `limits.${name}`, message: `is not an option; the options are: ${known}` });
      continue;
    }
    const [min, unit, example] = LIMITS[name as keyof GatewayLimits];
    if (value === undefined || value === Infinity || (Number.isInteger(value) && value >= min)) continue;
    const message = `must be a whole number of ${unit} of at least ${min}, or Infinity to turn the limit off; for example ${example}`;
    problems.push({ at: `limits.${name}`, message });
  }
  const { commandsPerSecond, commandBurst } = limits as GatewayLimits;
  if (commandBurst !== undefined && commandsPerSecond === undefined) {
    problems.push({ at: 'limits.commandBurst', message: 'needs limits.commandsPerSecond beside it' });
  }
  return problems;
}
