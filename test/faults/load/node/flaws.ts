import { TopicFeed } from '../../../../lib/core/history/topic-feed.js';
import { Liveness, type PulseAction, type PulseLimits } from '../../../../lib/core/connection/liveness.js';
import type { HeartbeatTick } from '../../../../lib/gateway/session/heartbeat.js';
import { Session } from '../../../../lib/gateway/session/session.js';

/** Defences that a node can be made to do without, so that a test can be seen to fail. */
export type Flaw = keyof typeof FLAWS;

/** Takes a defence away, in this process, for good. */
export function spoil(flaw: Flaw): void {
  FLAWS[flaw]();
}

const FLAWS = {
  /** Answers to pings, and tokens, are waited for by the clock, however long the process itself did not listen. */
  'patience by the clock': () => {
    const since = new WeakMap<Liveness | Session, number>();
    const isOver = (who: Liveness | Session, patienceMs: number) => {
      if (!since.has(who)) since.set(who, Date.now());
      return Date.now() - since.get(who)! > patienceMs;
    };
    Liveness.prototype.heard = function () {
      since.set(this, Date.now());
    };
    Liveness.prototype.beat = function ({ intervalTicks, timeoutTicks }: PulseLimits): PulseAction {
      // A tick lasts a second at most.
      return isOver(this, (intervalTicks + timeoutTicks) * 1_000) ? 'dead' : 'ping';
    };
    const { open, tick } = Session.prototype;
    Session.prototype.open = function (authenticated) {
      isOver(this, 0);
      open.call(this, authenticated);
    };
    Session.prototype.tick = function (beat: HeartbeatTick) {
      const isAnonymous = this.connection === undefined;
      if (isAnonymous && isOver(this, beat.authTicks * 1_000)) this.disconnect('STALE');
      tick.call(this, { ...beat, authTicks: Infinity });
    };
  },
  /** Nothing that belongs to a connection is ever given up. */
  'sessions are kept': () => {
    const kept = new Set<Session>();
    const { open } = Session.prototype;
    Session.prototype.open = function (authenticated) {
      kept.add(this);
      open.call(this, authenticated);
    };
  },
  /** Who wishes to recover gets what comes, like everybody else. */
  'nobody recovers': () => {
    const { enter } = TopicFeed.prototype;
    TopicFeed.prototype.enter = function (memberId) {
      enter.call(this, memberId, undefined);
    };
  },
  /** Connections are ended at once, whatever they are doing. */
  'abrupt drain': () => {
    Session.prototype.retire = function () {
      this.terminate();
    };
  },
};
