import type { Dialect } from '../dialect.js';
import type { Workload } from '../workload.js';

/** The job of a generator. */
export interface Job {
  /** The ports for the clients: equally many connect to each, the first ones to the first port. */
  readonly ports: readonly number[];
  /** The second port of each process whose CPU and memory count, Redis last; the first of them is asked to publish. */
  readonly controls: readonly number[];
  readonly dialect: Dialect;
  readonly workload: Workload;
  /** The text of the program of a bystander, where the workload has one. */
  readonly bystander?: string;
}

/** A server that lets in clients by turns with others. */
export interface AcceptingServer {
  readonly port: number;
  readonly control: number;
  readonly dialect: Dialect;
}

/** The job of a generator whose clients come to several servers by turns. Its result is the CPU of each for a client, in microseconds. */
export interface AcceptingJob {
  readonly servers: readonly AcceptingServer[];
  /** How many clients each of them lets in. */
  readonly connections: number;
}

/** The result of a job. CPU is that of the server; each figure is for one connection, subscription or delivery. */
export interface WorkloadResult {
  readonly crowd: CrowdResult;
  readonly phases: readonly PhaseResult[];
}

export interface CrowdResult {
  readonly connections: number;
  /** From the TCP connection until the client is told that it is in. */
  readonly acceptCpuMicros: number;
  /** The same for the second half of the clients, when the code has run some thousand times. */
  readonly laterAcceptCpuMicros?: number;
  readonly acceptsPerSecond: number;
  readonly subscriptions: number;
  readonly subscribeCpuMicros: number;
  /** The memory of the process before the first client, in bytes. */
  readonly baseRssBytes: number;
  /** The additional memory per client once all are connected, subscribed and silent, in bytes. */
  readonly rssBytesPerConnection: number;
  /** Until the server has forgotten a client that is gone. */
  readonly leaveCpuMicros: number;
}

export interface PhaseResult {
  readonly name: string;
  /** How many messages the server was asked to publish, or how many questions were asked. */
  readonly asked: number;
  readonly deliveries: number;
  /** How many of those that were due have not arrived; less than nothing when more have. */
  readonly lost: number;
  readonly cpuMicrosPerDelivery: number;
  readonly cpuMicrosPerAsked: number;
  /** The same for each process, in the order in which they were started, Redis last where there is one. */
  readonly cpuMicrosPerAskedOfEach: readonly number[];
  readonly deliveriesPerSecond: number;
  /** From the first thing that was asked for until the last has arrived, in milliseconds. */
  readonly wallMs: number;
  readonly payloadBytes: number;
  /** Above 1 where the server joins messages into one write. */
  readonly messagesPerRead: number;
  /** The part of the time in which the generator had something to do: near 1 it was the limit. */
  readonly generatorBusy: number;
  /** From the moment the generator asked until it had the message, in microseconds. */
  readonly latencyMicros: { readonly p50: number; readonly p90: number; readonly p99: number };
  /** How late timers of the server were, in milliseconds: for so long its event loop was busy with something else. */
  readonly latenessMs?: { readonly p99: number; readonly max: number };
  /** The additional memory of all processes, Redis included, per member or stream after garbage collections, in bytes. */
  readonly bytesEach?: { readonly heap: number; readonly rss: number };
  /** The memory of the server at the end of the phase, with all its garbage, in bytes. */
  readonly processBytes?: { readonly heap: number; readonly rss: number };
  /** What it meant for the server that some readers did not read. */
  readonly stall?: StallResult;
}

/** Memory is that of heap and buffers after garbage collections, in bytes, above what it was before the readers stalled. */
export interface StallResult {
  readonly readers: number;
  readonly heldHalfwayBytes: number;
  readonly heldBytes: number;
  readonly rssHalfwayBytes: number;
  readonly rssBytes: number;
  /** How many were dropped. */
  readonly dropped: number;
  /** How many have received everything once they read again. */
  readonly complete: number;
}
