import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { pinned } from './machine.js';
import { program, REPOSITORY } from './program.js';

/** How long a program may take until it says the first word, and to end, in milliseconds. */
const START_MS = 60_000;
const END_MS = 5_000;

/** How a program is run. */
export interface ProgramOptions {
  /** Its file in the folder of the benchmarks. */
  readonly path: string;
  /** The copy of the repository that the file belongs to. Default: this one. */
  readonly repository?: string;
  /** The folder of its packages. */
  readonly cwd: string;
  readonly core: number;
  /** Environment variables in addition to those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
}

/** A program in a process of its own. It ends when this process does, however that ends. */
export class ChildProgram {
  static readonly #running = new Set<ChildProgram>();
  #said = '';
  readonly #ended: Promise<unknown>;

  private constructor(
    private readonly path: string,
    private readonly child: ChildProcess,
  ) {
    child.stderr!.on('data', (chunk: Buffer) => (this.#said += chunk.toString()));
    // Not before its last words have been read.
    this.#ended = Promise.all([once(child, 'exit'), once(child.stderr!, 'close')]);
    ChildProgram.#running.add(this);
    void this.#ended.then(() => ChildProgram.#running.delete(this));
  }

  /** Starts a program. @returns it, with the first message it sent */
  static async start(options: ProgramOptions): Promise<{ readonly child: ChildProgram; readonly first: unknown }> {
    const { path, repository = REPOSITORY, cwd, core, env, flags = [] } = options;
    const text = await program(path, repository);
    const [command, ...args] = pinned(core, [process.execPath, '--input-type=module', '--expose-gc', ...flags, '-']);
    const child = new ChildProgram(
      path,
      spawn(command!, args, { cwd, env: { ...process.env, ...env }, stdio: ['pipe', 'ignore', 'pipe', 'ipc'] }),
    );
    try {
      child.child.stdin!.on('error', () => undefined).end(text);
      return { child, first: await child.next(START_MS) };
    } catch (error) {
      await child.end();
      throw new Error(`${(error as Error).message}\n${child.said}`, { cause: error });
    }
  }

  /** Ends all that run, at once. */
  static killAll(): void {
    for (const { child } of this.#running) child.kill('SIGKILL');
  }

  /** Its output on `stderr`. */
  get said(): string {
    return this.#said;
  }

  send(message: object): void {
    this.child.send(message);
  }

  /** The next message of the program. @throws Error when it takes longer, or when the program ends */
  async next(timeoutMs: number): Promise<unknown> {
    const over = new AbortController();
    const { signal } = over;
    const failed = (why: string) => new Error(`${this.path} ${why}.`);
    try {
      return await Promise.race([
        once(this.child, 'message', { signal }).then(([message]) => message as unknown),
        this.#ended.then(() => Promise.reject(failed('has ended'))),
        once(AbortSignal.timeout(timeoutMs), 'abort', { signal }).then(() =>
          Promise.reject(failed(`has said nothing for ${timeoutMs / 1_000} s`)),
        ),
      ]);
    } finally {
      over.abort();
    }
  }

  /** Lets it end by itself, and sees to it that it does. */
  async end(): Promise<void> {
    if (this.child.connected) this.child.disconnect();
    const timer = setTimeout(() => this.child.kill('SIGKILL'), END_MS);
    await this.#ended;
    clearTimeout(timer);
  }
}
