/**
 * Explains the risk of a master that acknowledges publications which its replicas do not have.
 * @param info the reply to `INFO replication`
 * @returns `undefined` for a server without replicas, and for one that refuses writes without a replica (`min-replicas-to-write`
 * and `min-replicas-max-lag`, which Redis reports by a field of its own)
 */
export function explainReplicaRisk(info: string): string | undefined {
  const [, replicas = '0'] = /^connected_slaves:(\d+)/m.exec(info) ?? [];
  if (!/^role:master/m.test(info) || replicas === '0' || /^min_slaves_good_slaves:/m.test(info)) return undefined;
  return (
    `has ${replicas} ${replicas === '1' ? 'replica' : 'replicas'}, and min-replicas-to-write is 0: cut off from them, it goes on acknowledging ` +
    'publications, which are lost when a replica takes over. Set min-replicas-to-write 1 and min-replicas-max-lag 10'
  );
}
