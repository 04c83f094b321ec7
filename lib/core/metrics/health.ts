/** Whether a node should get new connections: `up`; `degraded`, it serves with a fault; `down`, it should not. */
export type HealthStatus = 'up' | 'degraded' | 'down';

/**
 * Every reason for which a node is not `up`, with the status that follows and its meaning. Codes are stable; texts are not.
 */
export const HEALTH_REASONS = {
  STARTING: { status: 'down', meaning: 'The node has not started yet.' },
  DRAINING: { status: 'down', meaning: 'The node closes its connections and accepts no new ones.' },
  CLOSED: { status: 'down', meaning: 'The application has been closed.' },
  DETACHED: {
    status: 'degraded',
    meaning: 'The node cannot be reached by the other nodes; it reaches only its own connections.',
  },
  BUS_REFUSES: {
    status: 'degraded',
    meaning: 'The bus server has refused commands within the last 30 seconds.',
  },
  SEND_BUDGET_SPENT: {
    status: 'degraded',
    meaning: 'The unsent bytes are at 90 % of limits.totalSendQueueBytes or more; above it, slow consumers are closed.',
  },
  EVENT_LOOP_LATE: {
    status: 'degraded',
    meaning: 'One in a hundred turns of the event loop is late by half a second or more.',
  },
} as const satisfies Record<string, { readonly status: HealthStatus; readonly meaning: string }>;

/** Stable name of a reason. */
export type HealthCode = keyof typeof HEALTH_REASONS;

/** A reason for which a node is not `up`. */
export interface HealthReason {
  /** Stable name; see the table in the documentation of operations. */
  readonly code: HealthCode;
  /** Text for people; may change. */
  readonly message: string;
  /** When the node was first seen in this state, without a break since; within a second. */
  readonly since: Date;
}

/** The health of one node. */
export interface RealtimeHealth {
  /** The worst status of all reasons; `up` if there are none. */
  readonly status: HealthStatus;
  readonly reasons: readonly HealthReason[];
}

/** The facts by which the health of a node is judged. */
export interface HealthSnapshot {
  readonly phase: 'starting' | 'running' | 'closed';
  readonly isDraining: boolean;
  readonly isAttached: boolean;
  /** The kinds of refusals of the bus server that occurred recently. */
  readonly refusals: readonly string[];
  readonly sendQueueBytes: number;
  readonly maxSendQueueBytes: number;
  /** The delay of the event loop in seconds, 99th percentile; 0 while it is not measured. */
  readonly loopDelay: number;
}

/** A reason without its time. */
export type HealthProblem = Pick<HealthReason, 'code' | 'message'>;

const SPENT_SHARE = 0.9;

const LATE_S = 0.5;

/** Judges a snapshot. @returns the reasons for which the node is not `up`, the worst first */
export function healthProblems(snapshot: HealthSnapshot): readonly HealthProblem[] {
  const { phase, isDraining, isAttached, refusals, sendQueueBytes, maxSendQueueBytes, loopDelay } = snapshot;
  if (phase === 'starting') return [problem('STARTING')];
  if (phase === 'closed') return [problem('CLOSED')];
  return [
    ...(isDraining ? [problem('DRAINING')] : []),
    ...(isAttached ? [] : [problem('DETACHED')]),
    ...(refusals.length === 0 ? [] : [problem('BUS_REFUSES', refusals.join(', '))]),
    ...(sendQueueBytes >= maxSendQueueBytes * SPENT_SHARE
      ? [problem('SEND_BUDGET_SPENT', `${sendQueueBytes} of ${maxSendQueueBytes} bytes`)]
      : []),
    ...(loopDelay >= LATE_S ? [problem('EVENT_LOOP_LATE', `${loopDelay.toFixed(1)} s`)] : []),
  ];
}

/** The worst status of some reasons. */
export function healthStatus(problems: readonly Pick<HealthReason, 'code'>[]): HealthStatus {
  const statuses = problems.map(({ code }) => HEALTH_REASONS[code].status);
  if (statuses.includes('down')) return 'down';
  return statuses.length > 0 ? 'degraded' : 'up';
}

function problem(code: HealthCode, what?: string): HealthProblem {
  const { meaning } = HEALTH_REASONS[code];
  return { code, message: what === undefined ? meaning : `${meaning.slice(0, -1)} (${what}).` };
}
