/** The addresses of all nodes, as a browser has to write them; the launcher tells each node. */
export const NODES = variable('NODES').split(',');

/** The Redis over which they reach each other. */
export const REDIS_URL = variable('REDIS_URL');

function variable(name: string): string {
  const value = process.env[name];
  if (!value)
    throw new Error(`${name} is not set: nodes are started by the launcher, with npm run start:cluster or start:ai`);
  return value;
}
