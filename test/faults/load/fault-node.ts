import type { JwtClaims } from 'nestjs-realtime';
import { TestClient, testToken } from 'nestjs-realtime/testing';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Host } from '../../resuming/host.js';
import type { NodeControl, NodeSpec } from './node/node-control.js';
import { nodeProgram, REPOSITORY } from './node-program.js';

/** A message to the process of a node. */
export interface Question {
  readonly id: number;
  readonly ask: string;
  readonly args: readonly unknown[];
}

/** A message from the process of a node. */
export type Answer = { readonly id: number; readonly value: unknown } | { readonly id: number; readonly error: string };

/** How the process of a node is run. */
export interface ProcessOptions {
  /** Limit of the old generation of its heap, in MiB. */
  readonly heapMiB?: number;
}

/** How a process came to its end. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

type Asking = { readonly resolve: (value: never) => void; readonly reject: (error: Error) => void };

/** A node in a process of its own. */
export class FaultNode implements Host {
  readonly #asking = new Map<number, Asking>();
  #lastId = 0;
  #port = 0;
  #said = '';
  #hasEnded = false;
  /** Resolves when the process has ended, by whomever. */
  readonly ended: Promise<ProcessEnd>;

  private constructor(private readonly child: ChildProcess) {
    child.stderr!.on('data', (chunk: Buffer) => (this.#said += chunk.toString()));
    child.on('message', (answer: Answer) => this.#take(answer));
    this.ended = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
    child.once('exit', () => {
      this.#hasEnded = true;
      this.#asking.forEach(({ reject }) => reject(new Error(`The node ended. ${this.#said}`)));
    });
  }

  /** Starts a node and waits until it listens. Whoever calls this ends it. */
  static async start(spec: NodeSpec = {}, { heapMiB }: ProcessOptions = {}): Promise<FaultNode> {
    const flags = ['--input-type=module', '--expose-gc', ...(heapMiB ? [`--max-old-space-size=${heapMiB}`] : [])];
    const child = spawn(process.execPath, [...flags, '-'], {
      cwd: REPOSITORY,
      stdio: ['pipe', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    const node = new FaultNode(child);
    try {
      child.stdin!.end(await nodeProgram());
      node.#port = await node.ask('boot', spec);
      return node;
    } catch (error) {
      await node.kill();
      throw error;
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** @throws Error when the node fails at it, or ends before it has answered */
  ask<K extends keyof NodeControl>(ask: K, ...args: Parameters<NodeControl[K]>): ReturnType<NodeControl[K]> {
    const question: Question = { id: ++this.#lastId, ask, args };
    const answer = new Promise((resolve, reject) => {
      // A message to a process that has just ended is accepted, but never answered.
      if (this.#hasEnded) return reject(new Error(`The node has ended. ${this.#said}`));
      this.#asking.set(question.id, { resolve, reject });
      this.child.send(question, (error) => error && reject(error));
    });
    return answer as ReturnType<NodeControl[K]>;
  }

  publish(...args: Parameters<Host['publish']>): ReturnType<Host['publish']> {
    return this.ask('publish', ...args);
  }

  /** Connects with a token, or without any when there is no user. */
  connect(userId?: string, claims?: JwtClaims): Promise<TestClient> {
    const token = userId === undefined ? {} : { token: testToken(userId, claims) };
    return TestClient.connect(`ws://127.0.0.1:${this.#port}/ws`, token);
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Ends the process at once, if it is still there. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  #take(answer: Answer): void {
    const asking = this.#asking.get(answer.id);
    this.#asking.delete(answer.id);
    if ('error' in answer) asking?.reject(new Error(answer.error));
    else asking?.resolve(answer.value as never);
  }
}
