import type { Publication, StreamPosition } from './history.js';
import type { PublicationRun } from './publication-run.js';

/** Most characters that are kept; what is dropped can be read from the history again. */
const MAX_LENGTH = 65_536;

/**
 * The publications that were delivered last, so that a member that has caught up with the history joins without a further read,
 * however fast publications come. Bounded in number and size. Mutable; one owner changes it.
 */
export class RecentPublications {
  #publications: Publication[] = [];
  #epoch = '';
  #length = 0;

  /** @param maxCount most publications that are kept */
  constructor(private readonly maxCount: number) {}

  /** The publications up to the latest one, without a gap; `undefined` if there are none. */
  get run(): PublicationRun | undefined {
    const [first] = this.#publications;
    return first && { epoch: this.#epoch, after: first.offset - 1, publications: this.#publications };
  }

  /** Adds the publication at this position, which follows the one before. */
  add(publication: Publication, { epoch }: StreamPosition): void {
    if (epoch !== this.#epoch) this.clear();
    this.#epoch = epoch;
    this.#publications.push(publication);
    this.#length += publication.text.length;
    this.trim(this.maxCount);
  }

  /** Takes the publications of a run that ends with the latest one, if it has more of them. */
  adopt({ epoch, publications }: PublicationRun): void {
    if (publications.length <= this.#publications.length) return;
    this.clear();
    for (const publication of publications) this.add(publication, { epoch, offset: publication.offset });
  }

  /** Drops the oldest ones. @param count most that are left */
  trim(count: number): void {
    while (this.#publications.length > count || this.#length > MAX_LENGTH) {
      this.#length -= this.#publications.shift()!.text.length;
    }
  }

  clear(): void {
    this.#publications = [];
    this.#length = 0;
  }
}
