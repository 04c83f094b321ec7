import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { startChild, stopChild } from './child.js';

const RESTART_MS = 5_000;

/** One node: a process that comes back 5 s after it has ended, so that one can watch what happens meanwhile. */
export class NodeProcess {
  private child?: ChildProcess;
  private timer?: NodeJS.Timeout;
  private isStopped = false;

  /** @param program the file that it runs */
  constructor(
    readonly url: string,
    private readonly program: string,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  /** Resolves when it listens. Rejects when it ends before. */
  async start(): Promise<void> {
    const env = { ...this.env, PORT: new URL(this.url).port };
    const child = startChild(process.execPath, [this.program], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], env });
    this.child = child;
    const ended = once(child, 'exit').then(() => 'ended');
    const first = await Promise.race([once(child, 'message'), ended]);
    if (first === 'ended') throw new Error(`The node at ${this.url} ended before it listened.`);
    console.log(`Node ${this.url} is up (process ${child.pid})`);
    void ended.then(() => this.ended());
  }

  /** Stops it gracefully, and for good. */
  async stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    if (this.child) await stopChild(this.child);
  }

  private ended(): void {
    if (this.isStopped) return;
    console.log(`Node ${this.url} is gone, and comes back in ${RESTART_MS / 1_000} s`);
    this.timer = setTimeout(() => {
      this.start().catch(() => this.ended());
    }, RESTART_MS);
  }
}
