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

/** The place of one client in the count of unauthenticated clients. The first call of `settle` counts; later calls do nothing. */
export interface WaitingPlace {
  /**
   * Frees the place.
   * @param userId the user of a verified client
   * @returns the refusal if the node cannot admit a verified client at the moment
   */
  settle(outcome: AdmissionOutcome, userId?: string): Refusal | undefined;
}

/** Finds the client address of requests, and limits attempts and unauthenticated clients by address. */
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

  /** The client address of a request. Warns once if a request has `X-Forwarded-For` although no proxy is trusted. */
  clientOf(request: IncomingMessage): ClientAddress {
    if (this.#proxies.trustsNobody && !this.#hasWarned && request.headers['x-forwarded-for'] !== undefined) {
      this.#hasWarned = true;
      this.#logger.warn(
        'Requests carry X-Forwarded-For, but trustProxy is 0, so all clients behind a proxy count as one address ' +
          '(maxUnauthenticatedPerIp, refusedPerSecondPerIp). Set trustProxy to the number of proxies in front of this server.',
      );
    }
    return this.#proxies.clientAddressOf(request);
  }

  /** Counts a request that is refused before its token is read. @returns the reason, or RATE_LIMITED after too many refusals */
  turnAway({ address }: ClientAddress, reason: Refusal): Refusal {
    const waitMs = this.#admission.turnAway(networkOf(address), this.clock.now());
    return waitMs === 0 ? reason : crowded({ admitted: false, refusal: 'too-many-refused', retryAfterMs: waitMs });
  }

  /**
   * Reserves a place for a client that is about to be authenticated.
   * @param connections the number of connections of the node
   */
  enter({ address }: ClientAddress, connections: number, guest: Guest): WaitingPlace | Refusal {
    const network = networkOf(address);
    const verdict = this.#admission.arrive(network, connections, this.clock.now(), guest);
    if (!verdict.admitted) return crowded(verdict);
    let isSettled = false;
    return {
      settle: (outcome, userId) => {
        if (isSettled) return undefined;
        isSettled = true;
        const answer = this.#admission.settle(network, outcome, this.clock.now(), guest, userId);
        return answer.admitted ? undefined : crowded(answer);
      },
    };
  }
}

function crowded({ refusal, retryAfterMs }: Extract<AdmissionVerdict, { admitted: false }>): Refusal {
  const retryAfterS = Math.ceil(retryAfterMs / 1000);
  switch (refusal) {
    case 'too-many-from-address':
      return rateLimited('Too many connections are being opened from this address.', retryAfterS);
    case 'too-many-refused':
      return rateLimited('Too many connection attempts from this address were refused.', retryAfterS);
    case 'too-often':
      return rateLimited('The user connects too often.', retryAfterS);
    case 'node-full':
    case 'too-fast':
    case 'too-many-unauthenticated':
      return refusalOf('UNAVAILABLE', 'The server accepts no more connections at the moment.', retryAfterS);
  }
}

function rateLimited(message: string, retryAfterS: number): Refusal {
  return refusalOf('RATE_LIMITED', message, retryAfterS);
}
