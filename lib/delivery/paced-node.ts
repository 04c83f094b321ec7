import type { RecipientIndex } from '../core/routing/routing.js';
import type { DeliveryTarget } from './delivery-target.js';
import type { FanOuts } from './fan-outs.js';
import type { HeldTopics } from './held-topics.js';
import type { NodeMeter } from './node-meter.js';

/** The parts of this node that topics with a pace of their own need. */
export interface PacedNode {
  /** The connections of this node. */
  readonly targets: ReadonlyMap<string, DeliveryTarget>;
  readonly fanOuts: FanOuts<DeliveryTarget>;
  readonly held: HeldTopics;
  readonly index: RecipientIndex;
  readonly meter: Pick<NodeMeter, 'sent' | 'dropped' | 'replaced' | 'leftOut' | 'slowCloses' | 'sendQueue'>;
}

/** The pace of one reader of a topic. */
export interface PaceEntry {
  readonly slow: 'drop' | 'latest';
  /** Maximum number of updates per second that the topic gives a reader. */
  readonly maxRateHz?: number;
  /** The number that the client asked for; it may be less. If omitted: `maxRateHz`, or unchanged for an existing subscription. */
  readonly askedHz?: number;
  /** Most bytes of values that may wait for one reader. */
  readonly maxBytes: number;
}
