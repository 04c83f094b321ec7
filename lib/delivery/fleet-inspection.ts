import { Injectable } from '@nestjs/common';
import { fleetOf, type Fleet } from '../core/bus/fleet.js';
import type { NodeCounts } from '../core/bus/node-info.js';
import type { InspectionRequest, NodeQuery, NodeQueryResult } from '../core/bus/node-query.js';
import { ALL_SUBJECT, subjectOf } from '../core/bus/subject.js';
import { oldestFirst, type RealtimeConnection } from '../core/connection/connection.js';
import { connection, user } from '../core/routing/address.js';
import { MessageBus } from '../ports/message-bus.js';
import { NodeDirectory } from '../ports/node-directory.js';
import { NodeInspection } from './node-inspection.js';

/** Most connections of a user whose topics are asked for. */
const MAX_CONNECTIONS = 50;

/** The connections of a user. */
export interface UserConnections {
  /** False when a node has not answered: there may be more. */
  readonly isComplete: boolean;
  /** The number of connections that were found; `connections` has the oldest of them. */
  readonly count: number;
  readonly connections: readonly ConnectionTopics[];
}

/** One connection with its topics. */
export interface ConnectionTopics {
  readonly connection: RealtimeConnection;
  readonly topics: readonly string[];
}

/** Asks all nodes what they hold and how they fare. A node that does not answer is shown so, and keeps no other from being shown. */
@Injectable()
export class FleetInspection {
  constructor(
    private readonly bus: MessageBus,
    private readonly directory: NodeDirectory,
    private readonly inspection: NodeInspection,
  ) {}

  /** @throws RealtimeError `UNAVAILABLE` once this node has been closed */
  async read(of: InspectionRequest): Promise<Fleet> {
    const [answers, listed, counts] = await Promise.all([
      this.bus.ask(ALL_SUBJECT, { kind: 'inspection', of }, { partial: true }),
      this.directory.nodes(),
      this.#counts(),
    ]);
    return fleetOf(this.inspection.snapshot(of), answers, listed, counts);
  }

  /** @throws RealtimeError `UNAVAILABLE` once this node has been closed */
  async connectionsOf(userId: string): Promise<UserConnections> {
    const address = user(userId);
    const found = await this.#ask(subjectOf(address)!, { kind: 'connections', of: address });
    const oldest = oldestFirst(found.results).slice(0, MAX_CONNECTIONS);
    const topics = await Promise.all(
      oldest.map(({ id }) => this.#ask(subjectOf(connection(id)) ?? ALL_SUBJECT, { kind: 'topics', of: id })),
    );
    return {
      isComplete: found.isComplete && topics.every(({ isComplete }) => isComplete),
      count: found.results.length,
      connections: oldest.map((each, i) => ({ connection: each, topics: topics[i]!.results })),
    };
  }

  /** Asks again for what there is, if not every node has answered. */
  async #ask<Q extends NodeQuery>(
    subject: string,
    query: Q,
  ): Promise<{ readonly isComplete: boolean; readonly results: readonly NodeQueryResult<Q>[] }> {
    try {
      return { isComplete: true, results: await this.bus.ask(subject, query) };
    } catch {
      return { isComplete: false, results: await this.bus.ask(subject, query, { partial: true }) };
    }
  }

  async #counts(): Promise<NodeCounts | undefined> {
    try {
      return await this.directory.counts();
    } catch {
      return undefined;
    }
  }
}
