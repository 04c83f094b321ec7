import type { Job, WorkloadResult } from './generator/job.js';
import type { Row } from './rows.js';
import { REDIS_URL } from './servers/redis-url.js';
import type { ProgramOptions } from './stage/child-program.js';
import { program, REPOSITORY } from './stage/program.js';
import { generate, SERVER_CORE, withPrograms } from './stage/with-programs.js';
import type { Workload } from './workload.js';

/** The first output of a server: the port for clients, and the one for the generator. */
export interface Served {
  readonly port: number;
  readonly control: number;
}

/** Runs a workload against a server, each of its processes new. @param flags for Node.js, as it runs the server */
export function measure(
  { program: server, repository, cwd, dialect, needsRedis }: Row,
  workload: Workload,
  flags: readonly string[] = [],
): Promise<WorkloadResult> {
  return withPrograms(async (start) => {
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
    const job: Job = {
      ports: (workload.isSpread ? servers : servers.slice(-1)).map(({ port }) => port),
      controls: [...servers, ...(redis ? [redis] : [])].map(({ control }) => control),
      dialect,
      workload,
      ...(workload.phases.some(({ kind }) => kind === 'bystand') && {
        bystander: await program('generator/bystander-thread.ts', REPOSITORY),
      }),
    };
    return generate<WorkloadResult>(start, 'generator/main.ts', job);
  });
}
