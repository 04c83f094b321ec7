import type { StreamPlace } from '../servers/server-control.js';

const OFFSET = /"offset":(\d+)/;
const SEQ = /"seq":(\d+)/;

/** The frames due to one client that recovers missed messages: the confirmation, then each message once and in order. */
export class Recovery {
  #isConfirmed = false;
  #taken = 0;

  /**
   * @param from where the client was
   * @param missed how many messages were published behind it, with the numbers from 0
   */
  constructor(
    private readonly from: StreamPlace,
    private readonly missed: number,
  ) {}

  get isComplete(): boolean {
    return this.#isConfirmed && this.#taken === this.missed;
  }

  /**
   * @param text a frame of the plain protocol
   * @returns whether the frame was due; other frames, such as heartbeats, are ignored
   * @throws Error when it is not what was due: nothing was recovered, or something was left out, repeated or out of order
   */
  take(text: string): boolean {
    if (text.includes('"type":"tick"')) return this.#message(text);
    if (text.includes('"realtime:error"')) throw new Error(`The server would not let a client recover: ${text}`);
    if (!text.includes('"realtime:subscribed"')) return false;
    const { epoch, offset } = this.from;
    const isAsDue = ['"recovered":true', `"epoch":"${epoch}"`, `"offset":${offset}`].every((part) =>
      text.includes(part),
    );
    if (this.#isConfirmed || !isAsDue) throw new Error(`A client at ${offset} of ${epoch} was told: ${text}`);
    return (this.#isConfirmed = true);
  }

  #message(text: string): boolean {
    const due = this.from.offset + this.#taken + 1;
    const [offset, seq] = [OFFSET, SEQ].map((pattern) => Number(pattern.exec(text)?.[1]));
    const isDue = this.#isConfirmed && this.#taken < this.missed && offset === due && seq === this.#taken;
    if (!isDue) {
      const awaited = this.#isConfirmed
        ? this.isComplete
          ? 'nothing'
          : `${due}, message ${this.#taken},`
        : 'a confirmation';
      throw new Error(`The publication ${offset}, message ${seq}, came where ${awaited} was due.`);
    }
    this.#taken += 1;
    return true;
  }
}
