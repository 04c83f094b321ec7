/** The bound for the info about a subscriber that `@OnSubscribe()` returns. */
export class PresenceInfoLimit {
  /** @param maxBytes its largest size as JSON, in bytes */
  constructor(readonly maxBytes: number) {}
}
