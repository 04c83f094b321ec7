import { createConnection, isConnection, type RealtimeConnection } from './connection.js';

/** A connection as plain data, for transfer to another node. Metadata arrives as JSON represents it. */
export interface ConnectionData {
  readonly id: string;
  readonly userId: string;
  readonly roles: readonly string[];
  readonly permissions: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly expiresAt?: number;
}

/** Returns the connection as plain data. */
export function toConnectionData(connection: RealtimeConnection): ConnectionData {
  const { id, userId, roles, permissions, metadata, createdAt, expiresAt } = connection;
  return {
    id,
    userId,
    roles: [...roles],
    permissions: [...permissions],
    metadata,
    createdAt: createdAt.getTime(),
    ...(expiresAt && { expiresAt: expiresAt.getTime() }),
  };
}

/**
 * Returns the connection that the data describes, or `undefined` if the data is invalid.
 * @param toDate converts milliseconds since 1970 to a date
 */
export function fromConnectionData(data: unknown, toDate: (ms: number) => Date): RealtimeConnection | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  const { id, userId, roles, permissions, metadata, createdAt, expiresAt } = data as Record<string, unknown>;
  if (!Array.isArray(roles) || !Array.isArray(permissions) || typeof createdAt !== 'number') return undefined;
  if (typeof metadata !== 'object' || metadata === null) return undefined;
  if (expiresAt !== undefined && typeof expiresAt !== 'number') return undefined;
  const connection = createConnection({
    id: id as string,
    userId: userId as string,
    roles: roles as string[],
    permissions: permissions as string[],
    metadata: metadata as Record<string, unknown>,
    createdAt: toDate(createdAt),
    ...(expiresAt !== undefined && { expiresAt: toDate(expiresAt) }),
  });
  return isConnection(connection) ? connection : undefined;
}
