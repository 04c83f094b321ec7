import { Injectable } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import {
  AdmissionControl,
  type AdmissionOutcome,
  type AdmissionVerdict,
  type Guest,
} from '../../core/connection/admission.js';
import type { ClientAddress } from '../../core/connection/client-address.js';
import { networkOf } from '../../core/connection/network-address.js';
import { Clock } from '../../ports/clock.js';
import { RealtimeSettings } from '../../options/realtime.options.js';
import { refusalOf, type Refusal } from '../../core/protocol/upgrade-refusal.js';
import { SafeLogger } from '../../errors/safe-logger.js';
import { ProxyTrust } from './proxy-trust.js';

/** A place among those who wait to be authenticated. Settled once; what is said later changes nothing. */
export interface WaitingPlace {
  /** Frees it. @returns why one whose token holds cannot come in at the moment */
  settle(outcome: AdmissionOutcome): Refusal | undefined;
}

/** Says where requests come from, and how many from there may wait to be authenticated. */
@Injectable()
export class UpgradeAdmission {
  readonly #logger = new SafeLogger('RealtimeModule');
  readonly #proxies: ProxyTrust;
  readonly #admission: AdmissionControl;
  #hasWarned = false;

  constructor(
    settings: RealtimeSettings,
    private readonly clock: Clock,
  ) {
    this.#proxies = new ProxyTrust(settings.trustProxy);
    this.#admission = new AdmissionControl(settings.limits, clock.now());
  }

  /** Where a request came from. Warns once when a proxy says so, but none is trusted. */
  clientOf(request: IncomingMessage): ClientAddress {
    if (this.#proxies.trustsNobody && !this.#hasWarned && request.headers['x-forwarded-for'] !== undefined) {
      this.#hasWarned = true;
      this.#logger.warn(
        'Requests come with X-Forwarded-For, but trustProxy is 0, so all clients of a proxy count as one address ' +
          '(maxUnauthenticatedPerIp, refusedPerSecondPerIp). Set trustProxy to the number of proxies in front of this server.',
      );
    }
    return this.#proxies.clientAddressOf(request);
  }

  /** What one is answered who is turned away unread: the reason, or that it happens too often. */
  turnAway({ address }: ClientAddress, reason: Refusal): Refusal {
    const waitMs = this.#admission.turnAway(networkOf(address), this.clock.now());
    return waitMs === 0 ? reason : crowded({ admitted: false, refusal: 'too-many-refused', retryAfterMs: waitMs });
  }

  /**
   * Gives somebody a place among those who wait to be authenticated.
   * @param connections how many connections the node holds
   */
  enter({ address }: ClientAddress, connections: number, guest: Guest): WaitingPlace | Refusal {
    const network = networkOf(address);
    const verdict = this.#admission.arrive(network, connections, this.clock.now(), guest);
    if (!verdict.admitted) return crowded(verdict);
    let isSettled = false;
    return {
      settle: (outcome) => {
        if (isSettled) return undefined;
        isSettled = true;
        const answer = this.#admission.settle(network, outcome, this.clock.now(), guest);
        return answer.admitted ? undefined : crowded(answer);
      },
    };
  }
}

function crowded({ refusal, retryAfterMs }: Extract<AdmissionVerdict, { admitted: false }>): Refusal {
  const retryAfterS = Math.ceil(retryAfterMs / 1000);
  switch (refusal) {
    case 'too-many-from-address':
      return rateLimited('Too many connections are being opened at once.', retryAfterS);
    case 'too-many-refused':
      return rateLimited('Too many attempts to connect were refused.', retryAfterS);
    case 'node-full':
    case 'too-fast':
    case 'too-many-unauthenticated':
      return refusalOf('UNAVAILABLE', 'The server takes no more connections at the moment.', retryAfterS);
  }
}

function rateLimited(message: string, retryAfterS: number): Refusal {
  return refusalOf('RATE_LIMITED', message, retryAfterS);
}
