import { Injectable } from '@nestjs/common';
import type { RealtimeConnection } from '../core/connection.js';
import type { Finding, Question } from '../core/question.js';
import { ConnectionRegistry } from '../ports/connection-registry.js';
import { PubSubManager } from '../ports/pub-sub-manager.js';
import { LocalDelivery } from './local-delivery.js';

/** Answers what any node may ask about the connections of this one. */
@Injectable()
export class LocalFindings {
  constructor(
    private readonly registry: ConnectionRegistry,
    private readonly pubSub: PubSubManager,
    private readonly delivery: LocalDelivery,
  ) {}

  readonly find = <Q extends Question>(question: Q): readonly Finding<Q>[] => this.#find(question) as Finding<Q>[];

  #find(question: Question): readonly Finding[] {
    switch (question.kind) {
      case 'topics':
        return [...this.pubSub.topicsOf(question.of)];
      case 'connections': {
        const connections: RealtimeConnection[] = [];
        for (const id of this.delivery.idsOf(question.of)) {
          const connection = this.registry.get(id);
          if (connection) connections.push(connection);
        }
        return connections;
      }
    }
  }
}
