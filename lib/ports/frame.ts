/** Makes bytes of a frame's text, in the way of one transport. */
export type FrameMaker = (text: string) => Buffer;

/** Text for a client, and what transports make of it: one object for all its recipients, so that it is framed once for each way. */
export class Frame {
  #make: FrameMaker | undefined;
  #bytes: Buffer | undefined;
  #others: Map<FrameMaker, Buffer> | undefined;

  constructor(readonly text: string) {}

  /** The bytes to write, made by the first socket that asks in this way. */
  bytes(make: FrameMaker): Buffer {
    // Nearly always all sockets are of one kind.
    if (make === this.#make) return this.#bytes!;
    if (this.#make === undefined) {
      this.#make = make;
      return (this.#bytes = make(this.text));
    }
    this.#others ??= new Map();
    let bytes = this.#others.get(make);
    if (bytes === undefined) this.#others.set(make, (bytes = make(this.text)));
    return bytes;
  }
}
