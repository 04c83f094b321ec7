import type { InfoGiven } from '../checker/record.js';
import type { RunLog } from './run-log.js';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Makes infos of users, none of which equals another, and writes down what became of them. */
export class Infos {
  readonly given: Writable<InfoGiven>[] = [];
  #made = 0;
  #connections = 0;
  readonly #open = new Map<number, Writable<InfoGiven>[]>();

  constructor(private readonly log: RunLog) {}

  /** A number for a connection that is going to give infos. */
  connection(): number {
    this.#open.set(++this.#connections, []);
    return this.#connections;
  }

  /** An info that is about to be given. @param connection missing when the application gives it */
  ask(topic: string, userId: string, connection?: number): Writable<InfoGiven> {
    const info = `${userId} ${++this.#made}`;
    const given = { topic, userId, info, asked: this.log.now(), ...(connection !== undefined && { connection }) };
    this.given.push(given);
    if (connection !== undefined) this.#open.get(connection)?.push(given);
    return given;
  }

  taken(given: Writable<InfoGiven>): void {
    given.taken = this.log.now();
  }

  /** It is certain that it changed nothing. */
  refused(given: InfoGiven): void {
    this.given.splice(this.given.lastIndexOf(given), 1);
  }

  /** A connection has left the topic, or has ended. */
  gone(connection: number): void {
    for (const given of this.#open.get(connection) ?? []) given.gone = this.log.now();
    this.#open.delete(connection);
  }
}
