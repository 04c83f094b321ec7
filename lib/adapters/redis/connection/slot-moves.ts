import { randomUUID } from 'node:crypto';
import { adoptScript } from './adopt-script.js';
import { isPlannedMove, type SlotSighting } from './planned-move.js';
import { addressIn, type Redirection } from './redirection.js';
import type { ScriptCall } from './redis-network.js';
import type { RedisScript } from './redis-script.js';
import type { RedisServer } from './redis-server.js';
import type { RedisSettings } from './redis-options.js';
import { SlotCalls, type SlotCall } from './slot-calls.js';

/** The part of a network that slots move in. */
export interface MovingSlots {
  serverOf(partition: number): RedisServer | undefined;
  /** The server at an address, connected; rejects if it cannot be reached. */
  reach(address: string): Promise<RedisServer>;
  /** Reads the slot map again, if possible from the server at an address. Does not reject. */
  relearn(address: string): Promise<void>;
}

/** Calls scripts in a Redis Cluster, whose slots may move from one server to another meanwhile. */
export class SlotMoves {
  readonly #calls: SlotCalls[] = [];
  readonly #seen: (SlotSighting | undefined)[] = [];

  /** @param keysOf names the keys of a partition that tell which run of a server has written there: history's and presence's */
  constructor(
    private readonly slots: MovingSlots,
    private readonly settings: Pick<RedisSettings, 'commandTimeoutMs' | 'maxPendingCommands' | 'leaseRefreshMs'>,
    private readonly keysOf: (partition: number) => readonly [term: string, presence: string],
  ) {}

  /** Runs a script where the keys of its partition are. */
  run(script: RedisScript, { partition, keys, argsFor, sent, isWhole = false }: ScriptCall): Promise<unknown> {
    return this.#callsOf(partition).run({
      order: keys[0]!,
      isWhole,
      attempt: (server, owner) => {
        const isAhead = server !== owner;
        return script.run(server, keys, argsFor(owner, isAhead), isAhead, sent);
      },
    });
  }

  /** Handles a partition that has another server: its calls wait until it is clear whether its data may go on there. */
  moved(partition: number, to: RedisServer): void {
    const seen = this.#seen[partition];
    if (seen === undefined) return;
    // The same server over another connection: one that was made ahead of the slot map, or one that has replaced it.
    if (seen.server.address === to.address) this.#seen[partition] = { ...seen, server: to };
    else this.#callsOf(partition).holdUntil(this.#handOver(partition, seen, to).catch(ignore));
  }

  #callsOf(partition: number): SlotCalls {
    return (this.#calls[partition] ??= new SlotCalls(
      {
        owner: () => this.slots.serverOf(partition),
        follow: (redirection, from) => this.#follow(partition, redirection, from),
        executed: (server, call) => this.#executed(partition, server, call),
        deferred: (server) => this.#sawOwner(partition, server),
      },
      this.settings,
    ));
  }

  async #follow(
    partition: number,
    redirection: Exclude<Redirection, { kind: 'again' }>,
    from: RedisServer,
  ): Promise<RedisServer> {
    const { kind } = redirection;
    const address = addressIn(redirection, from.address);
    if (kind === 'moved') await this.slots.relearn(address);
    const server = await this.slots.reach(address);
    // The map may be that of a server that does not know yet.
    if (kind === 'moved' && this.slots.serverOf(partition) !== server) this.moved(partition, server);
    return server;
  }

  #executed(partition: number, server: RedisServer, { isWhole }: SlotCall): void {
    if (isWhole) this.#sawWhole(partition, server);
  }

  #sawWhole(partition: number, server: RedisServer): void {
    const now = performance.now();
    this.#seen[partition] = { server, runId: server.runId, wholeAt: now, ownedAt: now };
  }

  #sawOwner(partition: number, server: RedisServer): void {
    const seen = this.#seen[partition];
    if (seen?.server.address !== server.address || seen.runId !== server.runId) return;
    this.#seen[partition] = { ...seen, ownedAt: performance.now() };
  }

  async #handOver(partition: number, seen: SlotSighting, to: RedisServer): Promise<void> {
    const keys = this.keysOf(partition);
    const server = await this.slots.reach(to.address);
    if (!(await isPlannedMove(seen, server, keys[0], this.settings.leaseRefreshMs))) return;
    await adoptScript.run(server, keys, [seen.runId, server.runId, randomUUID()]);
    this.#sawWhole(partition, server);
  }
}

function ignore(): void {}
