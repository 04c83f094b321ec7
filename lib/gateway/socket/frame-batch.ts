/**
 * The frames that leave a socket in one write. Sockets that got the same frames hold the same parcel: it is made, and its
 * bytes are joined, once for all of them, so that a message costs a recipient neither a list nor a copy.
 */
export class FrameBatch {
  /** What holds nothing yet; the first frames of a turn are added to it. */
  static empty(): FrameBatch {
    return new FrameBatch(undefined, NOTHING, 0);
  }

  /** What became of it last: those who get the same frame next find it there. */
  #latest: FrameBatch | undefined;
  #bytes: Buffer | undefined;

  private constructor(
    private readonly before: FrameBatch | undefined,
    private readonly frame: Buffer,
    /** How many bytes it holds. */
    readonly length: number,
  ) {}

  /** The parcel with one more frame; this one stays as it is. */
  with(frame: Buffer): FrameBatch {
    const latest = this.#latest;
    if (latest !== undefined && latest.frame === frame) return latest;
    const before = this.length === 0 ? undefined : this;
    return (this.#latest = new FrameBatch(before, frame, this.length + frame.length));
  }

  /** All its frames in their order, ready to be written. */
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
