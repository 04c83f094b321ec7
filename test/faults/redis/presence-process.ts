import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { RedisBackendOptions } from '../../../lib/adapters/redis/connection/redis-options.js';
import type { Answer, Question } from '../load/fault-node.js';
import { nodeProgram, REPOSITORY } from '../load/node-program.js';
import type { Move, PresenceControl } from './presence-node.js';

const PROGRAM = fileURLToPath(new URL('presence-program.ts', import.meta.url));

type Asking = { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void };

/** A node in a process of its own, which can be killed and halted. */
export class PresenceProcess implements PresenceControl {
  readonly #asking = new Map<number, Asking>();
  #lastId = 0;

  private constructor(private readonly child: ChildProcess) {
    child.on('message', ({ id, ...answer }: Answer) => {
      const asking = this.#asking.get(id);
      this.#asking.delete(id);
      if ('error' in answer) asking?.reject(new Error(answer.error));
      else asking?.resolve(answer.value);
    });
    child.once('exit', () => this.#asking.forEach(({ reject }) => reject(new Error('The node ended.'))));
  }

  /** It is ended when the test has finished. */
  static async start(
    id: string,
    options: RedisBackendOptions,
    topics: readonly string[] = [],
  ): Promise<PresenceProcess> {
    const program = await nodeProgram(PROGRAM);
    const child = spawn(process.execPath, ['--input-type=module', '-'], {
      cwd: REPOSITORY,
      stdio: ['pipe', 'ignore', 'inherit', 'ipc'],
    });
    const node = new PresenceProcess(child);
    onTestFinished(() => node.kill());
    child.stdin!.end(program);
    await node.#ask('start', id, options, topics);
    return node;
  }

  async set(...moves: readonly Move[]): Promise<void> {
    await this.#ask('set', ...moves);
  }

  async remove(...moves: readonly Move[]): Promise<void> {
    await this.#ask('remove', ...moves);
  }

  read(topic: string): Promise<string[]> {
    return this.#ask('read', topic) as Promise<string[]>;
  }

  told(): Promise<string[]> {
    return this.#ask('told') as Promise<string[]>;
  }

  heard(): Promise<string[]> {
    return this.#ask('heard') as Promise<string[]>;
  }

  async close(graceMs: number): Promise<void> {
    await this.#ask('close', graceMs);
  }

  /** Halts it: its connections stay open, and it says nothing. */
  halt(): void {
    this.child.kill('SIGSTOP');
  }

  resume(): void {
    this.child.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exited;
  }

  #ask(ask: string, ...args: readonly unknown[]): Promise<unknown> {
    const question: Question = { id: ++this.#lastId, ask, args };
    return new Promise((resolve, reject) => {
      this.#asking.set(question.id, { resolve, reject });
      this.child.send(question, (error) => error && reject(error));
    });
  }
}
