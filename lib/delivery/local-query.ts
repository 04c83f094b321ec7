import { Injectable } from '@nestjs/common';
import type { RealtimeConnection } from '../core/connection/connection.js';
import type { NodeQueryResult, NodeQuery } from '../core/bus/node-query.js';
import { ConnectionRegistry } from '../ports/connection-registry.js';
import { PubSubManager } from '../ports/pub-sub-manager.js';
import { LocalDelivery } from './local-delivery.js';
import { NodeInspection } from './node-inspection.js';

/** Answers the queries of any node about this one and its connections. */
@Injectable()
export class LocalQuery {
  constructor(
    private readonly registry: ConnectionRegistry,
    private readonly pubSub: PubSubManager,
    private readonly delivery: LocalDelivery,
    private readonly inspection: NodeInspection,
  ) {}

  readonly run = <Q extends NodeQuery>(query: Q): readonly NodeQueryResult<Q>[] =>
    this.#find(query) as NodeQueryResult<Q>[];

  #find(query: NodeQuery): readonly NodeQueryResult[] {
    switch (query.kind) {
      case 'inspection':
        return [this.inspection.snapshot(query.of)];
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
