import { randomFillSync } from 'node:crypto';
import { IdGenerator } from '../../ports/id-generator.js';

/** 120 bits, which are 20 characters of base64url without padding. */
const ID_BYTES = 15;

const IDS_PER_FILL = 256;

/** Generates ids of 20 letters, digits, `_` or `-` from the system's random source, which is read in batches. */
export class RandomIdGenerator extends IdGenerator {
  readonly #bytes = Buffer.alloc(ID_BYTES * IDS_PER_FILL);
  #used = this.#bytes.length;

  next(): string {
    if (this.#used === this.#bytes.length) {
      randomFillSync(this.#bytes);
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += ID_BYTES;
    return this.#bytes.toString('base64url', start, this.#used);
  }
}
