import type { Order } from '../core/routing/envelope.js';
import type { DeliveryTarget } from './delivery-target.js';
import type { FrameSet } from './frame-set.js';

/** Acts on one connection. @returns true when it concerned the connection; a promise does not reject */
export type TargetAction = (target: DeliveryTarget) => boolean | Promise<boolean>;

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
