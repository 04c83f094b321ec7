import { Pulse, type PulseAction, type PulseLimits } from '../../../../lib/core/pulse.js';
import { Session } from '../../../../lib/gateway/session.js';

/** Defences that a node can be made to do without, so that a test can be seen to fail. */
export type Flaw = keyof typeof FLAWS;

/** Takes a defence away, in this process, for good. */
export function spoil(flaw: Flaw): void {
  FLAWS[flaw]();
}

const FLAWS = {
  /** Answers to pings are waited for by the clock, however long the process itself did not listen. */
  'pulse by the clock': () => {
    const heardAt = new WeakMap<Pulse, number>();
    Pulse.prototype.heard = function () {
      heardAt.set(this, Date.now());
    };
    Pulse.prototype.beat = function ({ intervalTicks, timeoutTicks }: PulseLimits): PulseAction {
      if (!heardAt.has(this)) this.heard();
      // A tick lasts a second at most.
      const patienceMs = (intervalTicks + timeoutTicks) * 1_000;
      return Date.now() - heardAt.get(this)! > patienceMs ? 'dead' : 'ping';
    };
  },
  /** Connections are ended at once, whatever they are doing. */
  'abrupt drain': () => {
    Session.prototype.retire = function () {
      this.terminate();
    };
  },
};
