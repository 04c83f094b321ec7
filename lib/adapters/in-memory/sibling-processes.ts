/**
 * Why this process is probably one of several that serve the same application: it is a worker of `node:cluster`, or PM2 runs
 * more than one instance of it.
 * @param env the environment of the process
 * @returns the name of the process manager; `undefined` if there is no sign of other processes
 */
export function siblingProcesses(
  env: Readonly<Record<string, string | undefined>>,
  isClusterWorker: boolean,
): string | undefined {
  const { pm_id: pm2Id, NODE_APP_INSTANCE: instance, instances } = env;
  if (pm2Id !== undefined || instance !== undefined) return instances === '1' ? undefined : 'PM2';
  return isClusterWorker ? 'node:cluster' : undefined;
}
