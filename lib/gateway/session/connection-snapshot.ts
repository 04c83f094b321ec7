import { connectionIdOn } from '../../core/connection/connection-id.js';
import { createConnection, haveSameRights, type RealtimeConnection } from '../../core/connection/connection.js';
import { patchMetadata, type MetadataPatch } from '../../core/identity/metadata-patch.js';
import type { AuthCommand } from '../../core/protocol/command.js';
import type { Push } from '../../core/protocol/push.js';
import type { RightsOrder } from '../../core/routing/envelope.js';
import type { Authenticated } from '../../ports/authenticator.js';
import type { Accepted } from '../auth/handshake.js';
import type { PersonalTopicSubscription } from './personal-topic-subscription.js';
import type { SessionServices } from './session-services.js';

type Services = Pick<SessionServices, 'clock' | 'ids' | 'node' | 'settings'>;

/** A connection as applications see it: what its token says, and the changes of rights and metadata since. */
export class ConnectionSnapshot {
  #current: RealtimeConnection;
  /** The metadata from the option `metadata`, and all changes since: they outlive the token. */
  #patch: MetadataPatch | undefined;

  constructor(
    { identity, expiresAt, connectMetadata }: Authenticated & Partial<Pick<Accepted, 'connectMetadata'>>,
    private readonly services: Services,
  ) {
    const { clock, ids, node } = services;
    const { userId, roles, permissions, metadata } = identity;
    this.#current = createConnection({
      id: connectionIdOn(node.id, ids.next()),
      userId,
      roles,
      permissions,
      metadata: connectMetadata ? patchMetadata(metadata, connectMetadata) : metadata,
      createdAt: new Date(clock.now()),
      expiresAt,
    });
    this.#patch = connectMetadata;
  }

  get current(): RealtimeConnection {
    return this.#current;
  }

  /** Replaces roles, permissions or both. @returns true if the rights are others now */
  changeRights({ roles, permissions }: Omit<RightsOrder, 'kind'>): boolean {
    const before = this.#current;
    const rights = { roles: roles ?? before.roles, permissions: permissions ?? before.permissions };
    return this.#replace(createConnection({ ...before, ...rights }, before));
  }

  /** Changes keys of the metadata; `null` removes one. */
  updateMetadata(patch: MetadataPatch): void {
    this.#patch = { ...this.#patch, ...patch };
    this.#replace(this.#patched(this.#current, patch));
  }

  /** Takes what a newer token says; changes of the metadata hold. @returns true if the rights are others now */
  renew(connection: RealtimeConnection): boolean {
    return this.#replace(this.#patched(connection, this.#patch));
  }

  /** The welcome of its client. */
  welcome(
    end: Pick<Authenticated, 'expiresAt'>,
    personal: PersonalTopicSubscription | undefined,
    command: AuthCommand | undefined,
  ): Extract<Push, { kind: 'welcome' }> {
    const { heartbeat, limits } = this.services.settings;
    const { maxMessageBytes } = limits;
    const { id, userId } = this.#current;
    return {
      kind: 'welcome',
      answers: command?.id,
      connectionId: id,
      userId,
      expiresAt: end.expiresAt,
      heartbeatMs: heartbeat.intervalMs,
      maxMessageBytes: Number.isFinite(maxMessageBytes) ? maxMessageBytes : undefined,
      personal: personal?.news.personal,
    };
  }

  /** The snapshot with a patch of its metadata, and with the state of this connection. */
  #patched(connection: RealtimeConnection, patch: MetadataPatch = {}): RealtimeConnection {
    const metadata = patchMetadata(connection.metadata, patch);
    return createConnection({ ...connection, metadata }, this.#current);
  }

  #replace(connection: RealtimeConnection): boolean {
    const before = this.#current;
    this.#current = connection;
    return !haveSameRights(before, connection);
  }
}
