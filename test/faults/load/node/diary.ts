import { appendFileSync } from 'node:fs';

/** A line of a diary: a hook that was called, a change of whether the node is attached to its bus, or a warning of the log. */
export type DiaryEntry = {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly node: number;
} & (
  | { readonly kind: 'joined' | 'left'; readonly topic: string; readonly userId: string }
  | { readonly kind: 'attached' | 'detached' }
  | { readonly kind: 'warning'; readonly text: string }
);

/** Writes to a file before it returns, so that nothing is missing of a process that is killed. */
export class Diary {
  constructor(private readonly file: string) {}

  hook(kind: 'joined' | 'left', topic: string, userId: string): void {
    this.#append({ at: Date.now(), node: process.pid, kind, topic, userId });
  }

  attachment(isAttached: boolean): void {
    this.#append({ at: Date.now(), node: process.pid, kind: isAttached ? 'attached' : 'detached' });
  }

  warn(text: string): void {
    this.#append({ at: Date.now(), node: process.pid, kind: 'warning', text: text.slice(0, 500) });
  }

  #append(entry: DiaryEntry): void {
    appendFileSync(this.file, `${JSON.stringify(entry)}\n`);
  }
}
