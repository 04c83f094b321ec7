import { explainMessageType } from '../core/message/message.js';
import { describeProblems } from '../core/base/problem.js';
import { describeMark } from '../decorators/handler-metadata.js';
import { TOPIC_GATEWAY_OPTIONS, type TopicGatewayOptions } from '../decorators/topic-gateway.decorator.js';
import { checkDelivery } from './delivery.rules.js';
import { checkHistory } from './history.rules.js';
import { checkLimits } from './limits.rules.js';
import { RealtimeConfigurationError } from '../errors/realtime-configuration.error.js';
import type { MarkedClass, MarkedMethod } from './marked-class.js';
import { checkPresence } from './presence.rules.js';

/** Rejects a controller with marks that only a provider may have. */
export function refuseController({ classRef, gateway, methods }: MarkedClass): never {
  const what = gateway ? '@TopicGateway()' : describeMark(methods[0]!.mark);
  throw new RealtimeConfigurationError(
    `${gateway ? classRef.name : methods[0]!.name}: ${what} works on providers, not on controllers; ` +
      'move it to a class that is listed among the "providers" of a module.',
  );
}

/** Makes the boot fail if the marks of a class cannot work. */
export function checkMarks({ provider, classRef, gateway, methods }: MarkedClass): void {
  if (provider.isTransient) {
    throw new RealtimeConfigurationError(
      `${classRef.name} has handlers but is transient, so there is no instance to call; remove "scope: Scope.TRANSIENT".`,
    );
  }
  if (gateway) checkGateway(classRef.name, gateway.options, methods);
  const seen = new Map<string, MarkedMethod>();
  for (const marked of methods) {
    checkMethod(marked, gateway !== undefined);
    if (marked.mark.kind === 'connect' || marked.mark.kind === 'disconnect') continue;
    const decorator = describeMark(marked.mark);
    const other = seen.get(decorator);
    if (other) {
      throw new RealtimeConfigurationError(
        `${other.name} and ${marked.name} both have ${decorator}; a gateway takes one. Remove one of them.`,
      );
    }
    seen.set(decorator, marked);
  }
}

function checkMethod({ name, mark }: MarkedMethod, inGateway: boolean): void {
  if (mark.kind === 'connect' || mark.kind === 'disconnect') return;
  if (!inGateway) {
    throw new RealtimeConfigurationError(
      `${name}: ${describeMark(mark)} works in a topic gateway; add @TopicGateway('…') to the class, or move the method.`,
    );
  }
  const problems = mark.kind === 'message' ? explainMessageType(mark.type) : [];
  if (problems.length > 0) {
    throw new RealtimeConfigurationError(
      `${name}: ${describeMark(mark)} has a bad message type: ${describeProblems(problems)}. Choose another one.`,
    );
  }
}

function checkGateway(name: string, options: TopicGatewayOptions, methods: readonly MarkedMethod[]): void {
  checkOptions(name, options);
  checkHistory(name, options.history);
  checkLimits(name, options.limits);
  checkDelivery(name, options);
  checkPresence(name, options, methods);
}

function checkOptions(name: string, options: object): void {
  const unknown = Object.keys(options).find((key) => !TOPIC_GATEWAY_OPTIONS.has(key));
  if (unknown === undefined) return;
  const known = [...TOPIC_GATEWAY_OPTIONS].join(', ');
  throw new RealtimeConfigurationError(
    `${name}: @TopicGateway() has no option "${unknown}" (there are: ${known}); remove it.`,
  );
}
