/** Label values by label name. The same combination of values is always the same object, so that a listener can cache by it. */
export type Labels = Readonly<Record<string, string>>;

/** The description of a metric, without its values. */
export interface MetricDescription {
  /** The name in OpenTelemetry's style, such as `realtime.messages.sent`. */
  readonly name: string;
  /** `counter` only grows; `gauge` goes up and down; `histogram` is a distribution of durations. */
  readonly kind: 'counter' | 'gauge' | 'histogram';
  /** The unit as UCUM writes it: `s`, `By`, or what is counted, in braces. */
  readonly unit: string;
  /** The thing that it counts or measures, in one sentence. */
  readonly help: string;
  /** The names of its labels. A sample leaves out a label that does not apply to it. */
  readonly labels: readonly string[];
}

/** A distribution of durations, with the upper bounds of its buckets in seconds. */
export interface DurationDescription extends MetricDescription {
  readonly kind: 'histogram';
  readonly buckets: readonly number[];
}

/** The value of a metric for one combination of labels. */
export interface MetricSample {
  readonly labels: Labels;
  readonly value: number;
}

/** A counter or gauge of this node with its present values. */
export interface MetricFamily extends MetricDescription {
  readonly kind: 'counter' | 'gauge';
  /** One for each combination of labels that has occurred; a family without labels always has one. */
  readonly samples: readonly MetricSample[];
}

/** Receives durations as they end. Its methods are called synchronously, so they must be quick. */
export interface MetricsListener {
  /** A connection has ended. @param labels `protocol` and `close_code` */
  closed?(seconds: number, labels: Labels): void;
  /** A command has been handled. @param labels `action`, and for commands about a topic `pattern`, for messages also `type` */
  handled?(seconds: number, labels: Labels): void;
  /** A probe of this node has come back over the bus. In memory there is none. */
  busRoundTrip?(seconds: number): void;
}
