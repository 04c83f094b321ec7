import type { Labels } from '../core/metrics/metric.js';
import type { SpanStart } from '../ports/realtime-tracing.js';

/** The span of a message that is sent. @param labels those of `realtime.messages.sent` */
export function publishSpan(labels: Labels): SpanStart {
  return { kind: 'publish', name: `publish ${placeIn(labels)}`, attributes: attributesOf(labels) };
}

/** The span of a message that another node has sent. @param parent the context of its publish */
export function deliverySpan(labels: Labels, parent: string): SpanStart {
  return { kind: 'delivery', name: `deliver ${placeIn(labels)}`, attributes: attributesOf(labels), parent };
}

/**
 * The span of a command.
 * @param labels those of `realtime.command.duration`
 * @param parent the context of the client's span, if it has sent one
 * @param link the context of the upgrade of its connection
 */
export function commandSpan(labels: Labels, parent: string | undefined, link: string | undefined): SpanStart {
  return { kind: 'command', name: Object.values(labels).join(' '), attributes: attributesOf(labels), parent, link };
}

/** The pattern of the topic, or the kind of the address. */
function placeIn({ pattern, address }: Labels): string {
  return pattern ?? address ?? '';
}

function attributesOf(labels: Labels): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [`realtime.${name}`, value]));
}
