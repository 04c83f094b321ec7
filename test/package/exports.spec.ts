import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { runNode } from './child.js';
import { read, REPOSITORY } from './repository.js';

const NAMES: Record<string, readonly string[]> = {
  'nestjs-realtime': [
    'Authenticator',
    'CLOSE_CODES',
    'CancelSignal',
    'CurrentConnection',
    'CurrentUser',
    'ERROR_CODES',
    'HEALTH_REASONS',
    'JwtVerifier',
    'MessageBody',
    'OnConnect',
    'OnDisconnect',
    'OnJoin',
    'OnLeave',
    'OnMessage',
    'OnPresenceUpdate',
    'OnSubscribe',
    'OnUnsubscribe',
    'RealtimeArgumentError',
    'RealtimeAuthGuard',
    'RealtimeCancelledError',
    'RealtimeConfigurationError',
    'RealtimeError',
    'RealtimeMetrics',
    'RealtimeModule',
    'RealtimeService',
    'Recipients',
    'RequirePermissions',
    'RequireRoles',
    'TopicGateway',
    'TopicName',
    'TopicParam',
    'all',
    'allow',
    'connection',
    'inMemoryBackend',
    'realtimeContextOf',
    'role',
    'topic',
    'user',
  ],
  'nestjs-realtime/client': ['RealtimeStreamError', 'followStream', 'streamMessage', 'streamRpc'],
  // The list stands beside its source, in lib/core/index.spec.ts.
  'nestjs-realtime/core': Object.keys(await import('nestjs-realtime/core')).sort(),
  'nestjs-realtime/inspector': ['RealtimeInspectorModule'],
  'nestjs-realtime/jwks': ['JwksVerifier', 'jwksVerifier'],
  'nestjs-realtime/ports': [
    'Clock',
    'ConnectionRegistry',
    'HistoryStore',
    'IdGenerator',
    'MessageBus',
    'NodeDirectory',
    'PresenceStore',
    'PubSubManager',
  ],
  'nestjs-realtime/prometheus': ['RealtimePrometheusModule'],
  'nestjs-realtime/otel': ['RealtimeOtelModule'],
  'nestjs-realtime/redis': ['redisBackend'],
  'nestjs-realtime/terminus': ['RealtimeHealthIndicator'],
  'nestjs-realtime/testing': [
    'RecordingConnection',
    'RecordingRealtimeService',
    'TestClient',
    'TestJwtVerifier',
    'UpgradeRefusedError',
    'clockContract',
    'connectionRegistryContract',
    'historyStoreContract',
    'idGeneratorContract',
    'jwtVerifierContract',
    'messageBusContract',
    'nodeDirectoryContract',
    'presenceStoreContract',
    'pubSubManagerContract',
    'sharedHistoryStoreContract',
    'sharedMessageBusContract',
    'sharedNodeDirectoryContract',
    'sharedPresenceStoreContract',
    'startTestApp',
    'testToken',
  ],
};

/** The names that plain Node.js finds in the built package, which knows itself by its name. */
async function namesIn(entry: string, script: string): Promise<string[]> {
  const { code, stdout, output } = await runNode(join(REPOSITORY, 'test/package/fixtures', script), [entry]);
  if (code !== 0) throw new Error(output);
  return (JSON.parse(stdout) as string[]).sort();
}

describe.each(Object.entries(NAMES))('%s', (entry, names) => {
  it('exports exactly these names to an ES module', async () => {
    expect(await namesIn(entry, 'import-names.mjs')).toEqual(names);
  });

  it('exports the same names to a CommonJS module', async () => {
    expect(await namesIn(entry, 'require-names.cjs')).toEqual(names);
  });
});

const { exports, typesVersions } = JSON.parse(read('package.json')) as {
  exports: Record<string, { types?: string; default?: string }>;
  typesVersions: Record<'*', Record<string, readonly string[]>>;
};

/** The source file of each entry point. */
const sources = Object.values(exports).flatMap(
  (entry) => entry.default?.replace(/^\.\/dist\/(.+)\.js$/, 'lib/$1.ts') ?? [],
);

it('has an entry point for each of them, and no other', () => {
  const entries = Object.keys(NAMES).map((name) => name.replace('nestjs-realtime', '.'));
  expect(Object.keys(exports).sort()).toEqual([...entries, './package.json'].sort());
});

it('tells a compiler that does not read exports where the types of each sub-path are', () => {
  const subPaths = Object.entries(exports).filter(([name, { types }]) => name !== '.' && types !== undefined);
  expect(typesVersions['*']).toEqual(
    Object.fromEntries(subPaths.map(([name, { types }]) => [name.replace('./', ''), [types]])),
  );
});

it('describes every entry point in the API reference', () => {
  const { entryPoints } = JSON.parse(read('typedoc.json')) as { entryPoints: string[] };
  expect(new Set(entryPoints)).toEqual(new Set(sources));
});

it.each(sources)('%s names all that it exports', (path) => {
  const source = ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest);
  const stars = source.statements.filter((statement) => ts.isExportDeclaration(statement) && !statement.exportClause);
  expect(stars.map((statement) => statement.getText(source))).toEqual([]);
});
