import { Injectable } from '@nestjs/common';
import type { RealtimeConnection } from '../core/connection/connection.js';
import type { NodeQueryResult, NodeQuery } from '../core/bus/node-query.js';
import { ConnectionRegistry } from '../ports/connection-registry.js';
import { PubSubManager } from '../ports/pub-sub-manager.js';
import { LocalDelivery } from './local-delivery.js';

/** Answers the queries of any node about the connections of this one. */
@Injectable()
export class LocalQuery {
  constructor(
    private readonly registry: ConnectionRegistry,
    private readonly pubSub: PubSubManager,
    private readonly delivery: LocalDelivery,
  ) {}

  readonly run = <Q extends NodeQuery>(query: Q): readonly NodeQueryResult<Q>[] =>
    this.#find(query) as NodeQueryResult<Q>[];

  #find(query: NodeQuery): readonly NodeQueryResult[] {
    switch (query.kind) {
      case 'topics':
        return [...this.pubSub.topicsOf(query.of)];
      case 'connections': {
        const connections: RealtimeConnection[] = [];
        for (const id of this.delivery.idsOf(query.of)) {
          const connection = this.registry.get(id);
          if (connection) connections.push(connection);
        }
        return connections;
      }
    }
  }
}
