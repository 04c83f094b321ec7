/** The content of one WebSocket message: text, or the bytes of a binary message. */
export type FramePayload = string | Uint8Array;

/** Encodes the payload of a frame for one kind of transport. */
export type FrameMaker = (payload: FramePayload) => Buffer;

/** A payload for clients, with its encoded forms. All recipients share one object, so that it is encoded once per kind of transport. */
export class Frame {
  #make: FrameMaker | undefined;
  #bytes: Buffer | undefined;
  #others: Map<FrameMaker, Buffer> | undefined;

  constructor(readonly payload: FramePayload) {}

  /** Returns the bytes to write; the first call for a kind of transport encodes them. */
  bytes(make: FrameMaker): Buffer {
    // Almost always, all sockets use the same kind.
    if (make === this.#make) return this.#bytes!;
    if (this.#make === undefined) {
      this.#make = make;
      return (this.#bytes = make(this.payload));
    }
    this.#others ??= new Map();
    let bytes = this.#others.get(make);
    if (bytes === undefined) this.#others.set(make, (bytes = make(this.payload)));
    return bytes;
  }
}
