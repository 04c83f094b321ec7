import type { Note, Position, Statement } from './journal.js';
import type { Report } from './violation.js';

/** A range that a client was told to have completely: the publications of an epoch after one offset, up to another. */
interface Stretch {
  readonly epoch: string;
  readonly from: number;
  to: number;
}

/** The history of a client, from its diary. */
export class Life {
  delivered = 0;
  recovered = 0;
  notRecovered = 0;
  /** The received publications, by position. */
  readonly places = new Map<string, string>();
  readonly #stretches: Stretch[] = [];
  /** Where each publication came last. */
  readonly #had = new Map<string, Position>();
  #isConnected = false;

  constructor(
    readonly client: string,
    notes: readonly Note[],
    private readonly statements: ReadonlyMap<string, Statement>,
    private readonly report: Report,
  ) {
    for (const note of notes) this.#live(note);
  }

  /** Everything that was acknowledged and that it was to have, it has. */
  demand(statements: readonly Statement[]): void {
    for (const { key, outcome } of statements) {
      if (outcome.kind !== 'acknowledged' || !this.#isOwed(outcome)) continue;
      if (this.places.get(`${outcome.epoch}:${outcome.offset}`) !== key) {
        this.report('lost', `${key} at ${outcome.epoch}:${outcome.offset} to ${this.client}`);
      }
    }
  }

  /** True when it stands there, or further. */
  hasComeTo({ epoch, offset }: Position): boolean {
    const here = this.#here;
    return here !== undefined && here.epoch === epoch && here.to >= offset;
  }

  get #here(): Stretch | undefined {
    return this.#stretches.at(-1);
  }

  #isOwed({ epoch, offset }: Position): boolean {
    return this.#stretches.some((stretch) => stretch.epoch === epoch && offset > stretch.from && offset <= stretch.to);
  }

  #live(note: Note): void {
    switch (note.kind) {
      case 'told':
        return this.#told(note);
      case 'got':
        return this.#got(note.key, note.offset);
      case 'gone':
        this.#isConnected = false;
    }
  }

  #told({ asked, at, recovered }: Extract<Note, { kind: 'told' }>): void {
    this.#isConnected = true;
    if (recovered === true) {
      this.recovered += 1;
      if (asked?.epoch === at.epoch && asked.offset === at.offset) return;
      this.report('contradicted', `${this.client} recovered from ${at.epoch}:${at.offset}, where it was not`);
    } else if (recovered === false) this.notRecovered += 1;
    else if (asked) this.report('silent gap', `${this.client} wished to recover, and was not told whether it has`);
    this.#stretches.push({ epoch: at.epoch, from: at.offset, to: at.offset });
  }

  #got(key: string, offset: number): void {
    this.delivered += 1;
    const here = this.#here;
    if (here === undefined || !this.#isConnected) {
      return this.report('reordered', `${key} came to ${this.client} before it was in`);
    }
    const place = `${here.epoch}:${offset}`;
    const what = `${key} at ${place} to ${this.client}, behind ${here.to}`;
    this.#judgeKey(key, { epoch: here.epoch, offset }, what);
    const known = this.places.get(place);
    if (known === undefined) this.places.set(place, key);
    else if (known !== key) this.report('contradicted', `${what}: there was ${known}`);
    if (offset <= here.to) {
      // A publication that exists already is counted by its key.
      if (known === undefined) this.report('reordered', what);
      return;
    }
    if (offset > here.to + 1) this.report('silent gap', what);
    here.to = offset;
  }

  #judgeKey(key: string, at: Position, what: string): void {
    const statement = this.statements.get(key);
    if (statement === undefined) this.report('contradicted', `${what}: nobody has said it`);
    else if (statement.outcome.kind === 'refused') this.report('contradicted', `${what}: it was refused`);
    const before = this.#had.get(key);
    this.#had.set(key, at);
    if (before === undefined) return;
    // Republishing what a server has lost creates a second publication, in a new epoch that every client learns of.
    if (before.epoch !== at.epoch && statement?.isRepeated) return;
    this.report('duplicated', what);
  }
}
