import { ChildProgram, type ProgramOptions } from './child-program.js';
import { BENCH } from './program.js';

/** Servers share one core, and the generator has another. */
export const SERVER_CORE = 0;
const GENERATOR_CORE = 1;

/** How long a generator may take, in milliseconds. */
const JOB_MS = 600_000;

/** Starts a program. @returns its first message */
export type Start = (options: ProgramOptions) => Promise<{ readonly child: ChildProgram; readonly first: unknown }>;

/**
 * Does work with programs, each in a process of its own, and ends them all afterwards.
 * @throws Error when the work fails, with what the programs said last
 */
export async function withPrograms<T>(work: (start: Start) => Promise<T>): Promise<T> {
  const running: ChildProgram[] = [];
  try {
    return await work(async (options) => {
      const started = await ChildProgram.start(options);
      running.push(started.child);
      return started;
    });
  } catch (error) {
    await end(running);
    const lastWords = running.map((child) => child.said).filter((text) => text !== '');
    throw new Error([(error as Error).message, ...lastWords].join('\n'), { cause: error });
  } finally {
    await end(running);
  }
}

/** Gives a job to a generator. @param path the program of the generator */
export async function generate<T>(start: Start, path: string, job: object): Promise<T> {
  const { child } = await start({ path, cwd: BENCH, core: GENERATOR_CORE });
  child.send(job);
  const said = (await child.next(JOB_MS)) as { result: T } | { error: string };
  if ('error' in said) throw new Error(said.error);
  return said.result;
}

async function end(running: readonly ChildProgram[]): Promise<void> {
  await Promise.all(running.map((child) => child.end()));
}
