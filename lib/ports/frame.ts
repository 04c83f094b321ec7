/** Encodes the text of a frame for one kind of transport. */
export type FrameMaker = (text: string) => Buffer;

/** A text for clients, with its encoded forms. All recipients share one object, so that it is encoded once per kind of transport. */
export class Frame {
  #make: FrameMaker | undefined;
  #bytes: Buffer | undefined;
  #others: Map<FrameMaker, Buffer> | undefined;

  constructor(readonly text: string) {}

  /** Returns the bytes to write; the first call for a kind of transport encodes them. */
  bytes(make: FrameMaker): Buffer {
    // Almost always, all sockets use the same kind.
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
