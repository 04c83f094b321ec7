import type { Job, WorkloadResult } from './generator/job.js';
import type { Row } from './rows.js';
import { REDIS_URL } from './servers/redis-url.js';
import { ChildProgram, type ProgramOptions } from './stage/child-program.js';
import { BENCH, program, REPOSITORY } from './stage/program.js';
import type { Workload } from './workload.js';

/** Servers share one core, and the generator has another. */
export const SERVER_CORE = 0;
export const GENERATOR_CORE = 1;

/** How long a workload may take, in milliseconds. */
export const WORKLOAD_MS = 600_000;

/** The first output of a server: the port for clients, and the one for the generator. */
export interface Served {
  readonly port: number;
  readonly control: number;
}

/** Runs a workload against a server, each of its processes new. @param flags for Node.js, as it runs the server */
export async function measure(
  { program: server, repository, cwd, dialect, needsRedis }: Row,
  workload: Workload,
  flags: readonly string[] = [],
): Promise<WorkloadResult> {
  const running: ChildProgram[] = [];
  const start = async (options: ProgramOptions) => {
    const { child, first } = await ChildProgram.start(options);
    running.push(child);
    return { child, first };
  };
  try {
    const servers: Served[] = [];
    const serve = async (options: ProgramOptions) => (await start(options)).first as Served;
    const redis = needsRedis && (await serve({ path: 'servers/redis.ts', cwd: REPOSITORY, core: SERVER_CORE }));
    const env = redis && { [REDIS_URL]: `redis://127.0.0.1:${redis.port}` };
    for (let node = 0; node < (workload.nodes ?? 1); node++) {
      servers.push(
        await serve({
          path: server,
          cwd,
          core: SERVER_CORE,
          flags,
          ...(repository && { repository }),
          ...(env && { env }),
        }),
      );
    }
    const { child: generator } = await start({ path: 'generator/main.ts', cwd: BENCH, core: GENERATOR_CORE });
    const job: Job = {
      ports: (workload.isSpread ? servers : servers.slice(-1)).map(({ port }) => port),
      controls: [...servers, ...(redis ? [redis] : [])].map(({ control }) => control),
      dialect,
      workload,
      ...(workload.phases.some(({ kind }) => kind === 'bystand') && {
        bystander: await program('generator/bystander-thread.ts', REPOSITORY),
      }),
    };
    generator.send(job);
    const said = (await generator.next(WORKLOAD_MS)) as { result: WorkloadResult } | { error: string };
    if ('error' in said) throw new Error(said.error);
    return said.result;
  } catch (error) {
    await end(running);
    const lastWords = running.map((child) => child.said).filter((text) => text !== '');
    throw new Error([(error as Error).message, ...lastWords].join('\n'), { cause: error });
  } finally {
    await end(running);
  }
}

async function end(running: readonly ChildProgram[]): Promise<void> {
  await Promise.all(running.map((child) => child.end()));
}
