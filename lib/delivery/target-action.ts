import type { Order } from '../core/routing/envelope.js';
import type { DeliveryTarget } from './delivery-target.js';
import type { DroppingTopic } from './dropping-topic.js';
import type { FrameSet } from './frame-set.js';
import type { MessageFrames } from './message-frames.js';

/**
 * Acts on one connection.
 * @param id the id of the connection; missing for an action on all connections
 * @returns true when it concerned the connection; a promise does not reject
 */
export type TargetAction = (target: DeliveryTarget, id?: string) => boolean | Promise<boolean>;

/** Creates the action that writes shared frames to a recipient, in their order. */
export function writing(all: readonly FrameSet[]): TargetAction {
  const [frames, ...others] = all;
  if (frames && others.length === 0) {
    return ({ socket }) => {
      socket.send(frames.for(socket.codec));
      return true;
    };
  }
  return ({ socket }) => {
    for (const each of all) socket.send(each.for(socket.codec));
    return true;
  };
}

/**
 * Creates the action that writes a message to those that can take it.
 * @param isVolatile true: only those for which nothing waits take it, and the others are not told
 * @param leftOut called for each of the others
 * @param topic the topic, if it leaves out messages for slow readers
 */
export function writingIfTaken(
  frames: MessageFrames,
  isVolatile: boolean,
  leftOut: () => void,
  topic?: DroppingTopic,
): TargetAction {
  const takes = (target: DeliveryTarget, id: string | undefined): boolean => {
    if (topic === undefined || id === undefined) return target.socket.written() === undefined;
    return isVolatile ? topic.takesVolatile(id, target) : topic.takes(id, target, frames.textBytes);
  };
  return (target, id) => {
    const isTaken = takes(target, id);
    const { socket } = target;
    if (isTaken) socket.send(frames.for(socket.codec));
    else leftOut();
    return isTaken;
  };
}

/** Creates the action that carries out an order. */
export function carryingOut(order: Order): TargetAction {
  switch (order.kind) {
    case 'disconnect':
      return (target) => {
        target.disconnect(order.code, order.reason);
        return true;
      };
    case 'subscribe':
      return (target) => target.subscribe(order.topic);
    case 'unsubscribe':
      return (target) => target.unsubscribe(order.topic, order.reason);
    case 'rights':
      return (target) => target.changeRights(order)?.then(() => true) ?? true;
    case 'metadata':
      return (target) => target.updateMetadata(order)?.then(() => true) ?? true;
    case 'revalidate':
      return (target) => {
        target.revalidate();
        return true;
      };
  }
}
