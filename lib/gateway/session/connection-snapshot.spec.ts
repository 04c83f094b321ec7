import { describe, expect, it } from 'vitest';
import { createConnection } from '../../core/connection/connection.js';
import { sessionParts } from '../../../test/helpers/session-parts.js';
import type { Metadata } from '../../core/identity/metadata-patch.js';
import { ConnectionSnapshot } from './connection-snapshot.js';

const EXPIRES_AT = new Date(60_000);

interface Given {
  /** The metadata of the token. */
  readonly metadata?: Metadata;
  readonly connectMetadata?: Metadata;
}

const snapshotOf = ({ metadata = {}, connectMetadata }: Given = {}, options = {}) =>
  new ConnectionSnapshot(
    {
      identity: { userId: 'ann', roles: new Set(['staff']), permissions: new Set(['read']), metadata },
      expiresAt: EXPIRES_AT,
      ...(connectMetadata && { connectMetadata }),
    },
    sessionParts(options).services,
  );

/** What a newer token says. */
const renewed = (snapshot: ConnectionSnapshot, metadata: Metadata, roles = ['staff']) =>
  createConnection({ ...snapshot.current, roles: new Set(roles), metadata }, snapshot.current);

describe('the snapshot of a connection', () => {
  it('has an id of its node, the time of the connect, and what the token says', () => {
    expect(snapshotOf({ metadata: { seat: 1 } }).current).toMatchObject({
      id: 'n1.c1',
      userId: 'ann',
      createdAt: new Date(0),
      expiresAt: EXPIRES_AT,
      metadata: { seat: 1 },
    });
  });

  it('prefers the metadata of the connect to that of the token', () => {
    const { metadata } = snapshotOf({ metadata: { seat: 1, row: 2 }, connectMetadata: { seat: 3 } }).current;
    expect(metadata).toEqual({ seat: 3, row: 2 });
  });

  it('replaces the rights that are given, and keeps the others', () => {
    const snapshot = snapshotOf();
    expect(snapshot.changeRights({ roles: ['guest'] })).toBe(true);
    expect(snapshot.current.roles).toEqual(new Set(['guest']));
    expect(snapshot.current.permissions).toEqual(new Set(['read']));
  });

  it('says that equal rights are no change', () => {
    expect(snapshotOf().changeRights({ roles: ['staff'], permissions: ['read'] })).toBe(false);
  });

  it('keeps the changes of metadata when the token is renewed, removed keys included', () => {
    const snapshot = snapshotOf({ metadata: { seat: 1, row: 2 }, connectMetadata: { agent: 'x' } });
    snapshot.updateMetadata({ seat: 9, row: null });
    expect(snapshot.renew(renewed(snapshot, { seat: 4, row: 5, hall: 6 }))).toBe(false);
    expect(snapshot.current.metadata).toEqual({ seat: 9, hall: 6, agent: 'x' });
  });

  it('says that a newer token has other rights', () => {
    const snapshot = snapshotOf();
    expect(snapshot.renew(renewed(snapshot, {}, ['admin']))).toBe(true);
  });

  it('keeps the state of the connection over all changes', () => {
    const snapshot = snapshotOf();
    const { state } = snapshot.current;
    snapshot.changeRights({ roles: [] });
    snapshot.updateMetadata({ seat: 1 });
    expect(snapshot.current.state).toBe(state);
  });
});

describe('the welcome', () => {
  it('names the connection, and what the client has to know', () => {
    expect(snapshotOf().welcome({ expiresAt: EXPIRES_AT }, undefined, undefined)).toEqual({
      kind: 'welcome',
      connectionId: 'n1.c1',
      userId: 'ann',
      expiresAt: EXPIRES_AT,
      heartbeatMs: 25_000,
      maxMessageBytes: 65_536,
    });
  });

  it('answers the first command, and names no limit where there is none', () => {
    const snapshot = snapshotOf({}, { limits: { maxMessageBytes: Infinity } });
    const welcome = snapshot.welcome({}, undefined, { action: 'auth', id: '7', token: 't' });
    expect(welcome).toMatchObject({ kind: 'welcome', answers: '7' });
    expect(welcome.maxMessageBytes).toBeUndefined();
  });
});
