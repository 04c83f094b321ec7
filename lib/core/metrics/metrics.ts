import type { DurationDescription, MetricDescription } from './metric.js';

/** Every counter and gauge. Names and labels are stable; further metrics and labels may be added. */
export const METRICS = {
  connections: {
    name: 'realtime.connections',
    kind: 'gauge',
    unit: '{connection}',
    help: 'Authenticated connections.',
    labels: ['protocol'],
  },
  closes: {
    name: 'realtime.closes',
    kind: 'counter',
    unit: '{connection}',
    help: 'WebSockets that were closed, authenticated or not.',
    labels: ['protocol', 'close_code'],
  },
  upgrades: {
    name: 'realtime.upgrades',
    kind: 'counter',
    unit: '{request}',
    help: 'Upgrade requests that were answered; status 101 was admitted.',
    labels: ['status'],
  },
  subscriptions: {
    name: 'realtime.subscriptions',
    kind: 'gauge',
    unit: '{subscription}',
    help: 'Subscriptions of connections to topics.',
    labels: [],
  },
  messagesSent: {
    name: 'realtime.messages.sent',
    kind: 'counter',
    unit: '{message}',
    help: 'Messages to connections: a message counts once for each connection that it reaches.',
    labels: ['address', 'pattern'],
  },
  messagesReceived: {
    name: 'realtime.messages.received',
    kind: 'counter',
    unit: '{message}',
    help: 'Messages that clients sent to topics and that were within the rate limit.',
    labels: ['address', 'pattern'],
  },
  bytesSent: {
    name: 'realtime.bytes.sent',
    kind: 'counter',
    unit: 'By',
    help: 'Bytes of frames given to sockets, compressed where compression applies.',
    labels: [],
  },
  commandErrors: {
    name: 'realtime.command.errors',
    kind: 'counter',
    unit: '{error}',
    help: 'Errors sent to clients.',
    labels: ['action', 'pattern', 'code'],
  },
  sendQueueBytes: {
    name: 'realtime.send_queue.bytes',
    kind: 'gauge',
    unit: 'By',
    help: 'Unsent bytes of all send queues.',
    labels: [],
  },
  slowCloses: {
    name: 'realtime.slow_closes',
    kind: 'counter',
    unit: '{connection}',
    help: 'Connections that were closed as slow consumers (3008).',
    labels: [],
  },
  rateLimited: {
    name: 'realtime.rate_limited',
    kind: 'counter',
    unit: '{command}',
    help: 'Commands above a rate limit.',
    labels: [],
  },
  recoveries: {
    name: 'realtime.recoveries',
    kind: 'counter',
    unit: '{recovery}',
    help: 'Requests of clients for missed publications, and whether all of them were recovered.',
    labels: ['recovered'],
  },
  dropped: {
    name: 'realtime.dropped',
    kind: 'counter',
    unit: '{delivery}',
    help: 'Deliveries that a connection did not get, by the reason.',
    labels: ['reason'],
  },
  busAttached: {
    name: 'realtime.bus.attached',
    kind: 'gauge',
    unit: '1',
    help: '1 while this node can be reached by the other nodes, else 0.',
    labels: [],
  },
  busRefused: {
    name: 'realtime.bus.refused',
    kind: 'counter',
    unit: '{command}',
    help: 'Commands that the bus server refused, by the kind of the refusal.',
    labels: ['reason'],
  },
  reportsIncomplete: {
    name: 'realtime.reports.incomplete',
    kind: 'counter',
    unit: '{report}',
    help: 'Delivery reports that were asked for and that not every node has answered.',
    labels: [],
  },
  eventLoopDelay: {
    name: 'realtime.event_loop.delay',
    kind: 'gauge',
    unit: 's',
    help: 'Delay of the event loop over the last 10 seconds or more.',
    labels: ['quantile'],
  },
} as const satisfies Record<string, MetricDescription>;

/** The bucket bounds of SignalR and Kestrel for the life of a connection, in seconds. */
const LIFE_BUCKETS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];

/** The bucket bounds that OpenTelemetry recommends for requests, in seconds. */
const REQUEST_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** Every distribution of durations, by the method of `MetricsListener` that receives it. */
export const DURATIONS = {
  closed: {
    name: 'realtime.connection.duration',
    kind: 'histogram',
    unit: 's',
    help: 'Duration of authenticated connections.',
    labels: ['protocol', 'close_code'],
    buckets: LIFE_BUCKETS,
  },
  handled: {
    name: 'realtime.command.duration',
    kind: 'histogram',
    unit: 's',
    help: 'Duration from the start of a command until the next one may run.',
    labels: ['action', 'pattern', 'type'],
    buckets: REQUEST_BUCKETS,
  },
  busRoundTrip: {
    name: 'realtime.bus.round_trip',
    kind: 'histogram',
    unit: 's',
    help: 'Time for a probe of this node to come back over the bus.',
    labels: [],
    buckets: REQUEST_BUCKETS,
  },
} as const satisfies Record<string, DurationDescription>;
