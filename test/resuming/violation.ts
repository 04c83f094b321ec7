/** A violation of a guarantee. */
export type Violation =
  /** It was acknowledged, and somebody who was told to have everything does not have it. */
  | 'lost'
  | 'duplicated'
  /** It came, or was counted, in another order. */
  | 'reordered'
  /** Something is missing before it, and nobody was told. */
  | 'silent gap'
  /** Two things were said that cannot both be true. */
  | 'contradicted';

/** Told of each violation. */
export type Report = (violation: Violation, what: string) => void;
