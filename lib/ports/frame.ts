/** Text for a client, and what a transport makes of it: one object for all its recipients, so that it is framed once. */
export class Frame {
  #bytes: Buffer | undefined;

  constructor(readonly text: string) {}

  /** The bytes to write, made by the first socket that asks. @param make frames the text for the transport */
  bytes(make: (text: string) => Buffer): Buffer {
    return (this.#bytes ??= make(this.text));
  }
}
