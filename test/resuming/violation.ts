/** A violation of a guarantee. */
export type Violation =
  /** It was acknowledged, but a client that was told to have everything lacks it. */
  | 'lost'
  | 'duplicated'
  /** It came, or was counted, in another order. */
  | 'reordered'
  /** A publication before it is missing without notice. */
  | 'silent gap'
  /** Two things were said that cannot both be true. */
  | 'contradicted';

/** Told of each violation. */
export type Report = (violation: Violation, what: string) => void;
