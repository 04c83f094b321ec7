import { MissedOrders } from '../../../../lib/adapters/redis/bus/missed-orders.js';
import { TopicFeed } from '../../../../lib/core/history/topic-feed.js';
import { Liveness, type LivenessAction, type LivenessLimits } from '../../../../lib/core/connection/liveness.js';
import type { HeartbeatTick } from '../../../../lib/gateway/session/heartbeat.js';
import { SocketEndpoint } from '../../../../lib/gateway/session/socket-endpoint.js';

/** Defences that a node can be made to do without, so that a test can be seen to fail. */
export type Flaw = keyof typeof FLAWS;

/** Takes a defence away, in this process, for good. */
export function spoil(flaw: Flaw): void {
  FLAWS[flaw]();
}

const FLAWS = {
  /** Answers to pings, and tokens, are waited for by the clock, however long the process itself did not listen. */
  'patience by the clock': () => {
    const since = new WeakMap<Liveness | SocketEndpoint, number>();
    const isOver = (who: Liveness | SocketEndpoint, patienceMs: number) => {
      if (!since.has(who)) since.set(who, Date.now());
      return Date.now() - since.get(who)! > patienceMs;
    };
    Liveness.prototype.heard = function () {
      since.set(this, Date.now());
    };
    Liveness.prototype.tick = function ({ intervalTicks, timeoutTicks }: LivenessLimits): LivenessAction {
      // A tick lasts a second at most.
      return isOver(this, (intervalTicks + timeoutTicks) * 1_000) ? 'dead' : 'ping';
    };
    const { open, tick } = SocketEndpoint.prototype;
    SocketEndpoint.prototype.open = function (admitted) {
      isOver(this, 0);
      open.call(this, admitted);
    };
    SocketEndpoint.prototype.tick = function (each: HeartbeatTick) {
      if (!this.isAuthenticated && isOver(this, each.authTicks * 1_000)) this.disconnect('STALE');
      tick.call(this, { ...each, authTicks: Infinity });
    };
  },
  /** Nothing that belongs to a connection is ever given up. */
  'sessions are kept': () => {
    const kept = new Set<SocketEndpoint>();
    const { open } = SocketEndpoint.prototype;
    SocketEndpoint.prototype.open = function (admitted) {
      kept.add(this);
      open.call(this, admitted);
    };
  },
  /** A subscriber that asks for recovery receives new publications only. */
  'nobody recovers': () => {
    const { enter } = TopicFeed.prototype;
    TopicFeed.prototype.enter = function (memberId, { last }) {
      enter.call(this, memberId, { last });
    };
  },
  /** A node that was cut off does not ask what was ordered meanwhile. */
  'missed orders are lost': () => {
    MissedOrders.prototype.catchUp = async () => undefined;
  },
  /** Connections are ended at once, whatever they are doing. */
  'abrupt drain': () => {
    SocketEndpoint.prototype.retire = function () {
      this.terminate();
    };
  },
};
