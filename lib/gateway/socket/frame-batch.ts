/**
 * The frames that leave a socket in one write. Sockets with the same frames share one batch: it is made once, and its bytes
 * are joined once, so that fan-out costs no list and no copy for each recipient.
 */
export class FrameBatch {
  /** A batch without frames; the first frame of a turn is added to it. */
  static empty(): FrameBatch {
    return new FrameBatch(undefined, NOTHING, 0);
  }

  /** The batch that `with` made last: the next socket with the same frame finds it here. */
  #latest: FrameBatch | undefined;
  #bytes: Buffer | undefined;

  private constructor(
    private readonly before: FrameBatch | undefined,
    private readonly frame: Buffer,
    /** The size of all frames in bytes. */
    readonly length: number,
  ) {}

  /** The batch with one more frame; this batch stays as it is. */
  with(frame: Buffer): FrameBatch {
    const latest = this.#latest;
    if (latest !== undefined && latest.frame === frame) return latest;
    const before = this.length === 0 ? undefined : this;
    return (this.#latest = new FrameBatch(before, frame, this.length + frame.length));
  }

  /** All frames in order, ready to be written. */
  get bytes(): Buffer {
    return this.before === undefined ? this.frame : (this.#bytes ??= this.#join());
  }

  #join(): Buffer {
    const joined = Buffer.allocUnsafe(this.length);
    joined.set(this.frame, this.length - this.frame.length);
    for (let each = this.before; each !== undefined; each = each.before) {
      joined.set(each.frame, each.length - each.frame.length);
    }
    return joined;
  }
}

const NOTHING = Buffer.alloc(0);
