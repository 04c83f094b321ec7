import { areAmbiguous, compileTopicPattern, type TopicPattern } from '../core/topic/topic-pattern.js';
import { RealtimeConfigurationError } from '../errors/realtime-configuration.error.js';
import type { MarkedClass } from './marked-class.js';

/** A gateway's class with its pattern compiled. */
export interface PatternOwner extends MarkedClass {
  readonly pattern: TopicPattern;
}

/** Compiles the pattern of a gateway; an invalid pattern makes the boot fail. */
export function compilePattern(name: string, source: string): TopicPattern {
  const compiled = compileTopicPattern(source);
  if (compiled.ok) return compiled.pattern;
  throw new RealtimeConfigurationError(
    `${name}: @TopicGateway('${source}') has a bad pattern: ${compiled.problem}. Write one like 'chat:{room}'.`,
  );
}

/** Makes the boot fail if a topic could match two gateways. */
export function checkAmbiguity(owners: readonly PatternOwner[]): void {
  for (const [i, a] of owners.entries()) {
    const b = owners.slice(i + 1).find((other) => areAmbiguous(a.pattern, other.pattern));
    if (b) throw new RealtimeConfigurationError(a.classRef === b.classRef ? describeTwice(a, b) : describeTie(a, b));
  }
}

function describeTwice(a: PatternOwner, b: PatternOwner): string {
  const modules = [a, b].map(({ provider }) => provider.host?.name).join(' and ');
  return `${a.classRef.name} is provided twice, by ${modules}; provide it in one module, and import that one.`;
}

function describeTie(a: PatternOwner, b: PatternOwner): string {
  return (
    `${a.classRef.name} ('${a.pattern.source}') and ${b.classRef.name} ('${b.pattern.source}') match the same topics, ` +
    'and neither pattern has more literal characters; change one of them.'
  );
}
