import type { RedisClientOptions } from '@redis/client';
import { RealtimeConfigurationError } from '../../errors/realtime-configuration.error.js';
import type { IdGenerator } from '../../ports/id-generator.js';
import { ClusterNetwork } from './connection/cluster-network.js';
import { RedisAnswers } from './bus/redis-answers.js';
import { PublicationReports } from './bus/publication-reports.js';
import { RedisChannels } from './connection/redis-channels.js';
import { FrameSigner } from './connection/frame-signer.js';
import { loadRedis, type RedisModule } from './connection/redis-client.js';
import type { RedisClient } from './connection/redis-connection.js';
import { RedisHistoryStore } from './history/redis-history-store.js';
import { RedisTransport } from './connection/redis-transport.js';
import { RedisMessageBus } from './bus/redis-message-bus.js';
import type { RedisNetwork } from './connection/redis-network.js';
import { RedisNodeDirectory } from './directory/redis-node-directory.js';
import { RedisPresenceStore } from './presence/redis-presence-store.js';
import { redisSettingsOf, type RedisBackendOptions, type RedisSettings } from './connection/redis-options.js';
import { RedisSubscriptions } from './bus/redis-subscriptions.js';
import { SentinelNetwork } from './connection/sentinel-network.js';
import { SingleNetwork } from './connection/single-network.js';

/** The Redis adapters behind the ports of one application. */
export class RedisAssembly {
  readonly bus: RedisMessageBus;
  readonly directory: RedisNodeDirectory;
  readonly history: RedisHistoryStore;
  readonly presence: RedisPresenceStore;

  private constructor({ network, database }: Place, settings: RedisSettings, ids: IdGenerator) {
    const partitions = settings.place.kind === 'cluster' ? settings.partitions : 0;
    const channels = new RedisChannels(settings.prefix, database, partitions);
    const transport = new RedisTransport(
      network,
      settings.maxEnvelopeBytes,
      settings.secret && new FrameSigner(settings.secret),
    );
    this.directory = new RedisNodeDirectory(network, channels, transport, settings);
    this.presence = new RedisPresenceStore(network, channels, settings);
    const subscriptions = new RedisSubscriptions(network, channels, settings, transport.hear);
    const answers = new RedisAnswers(network, channels, transport, this.directory);
    const reports = new PublicationReports(answers, subscriptions);
    this.bus = new RedisMessageBus(
      network,
      channels,
      transport,
      subscriptions,
      answers,
      reports,
      this.directory,
      settings,
    );
    this.history = new RedisHistoryStore(network, channels, transport, subscriptions, reports, ids);
  }

  /**
   * Puts it together; nothing is connected yet.
   * @throws RealtimeConfigurationError that names each wrong option, or the package that is missing
   */
  static async create(options: RedisBackendOptions, ids: IdGenerator): Promise<RedisAssembly> {
    const settings = redisSettingsOf(options);
    return new RedisAssembly(placeOf(await loadRedis(), settings), settings, ids);
  }
}

/** A network, and the number of the database there, which is part of the names of channels. */
interface Place {
  readonly network: RedisNetwork;
  readonly database: number;
}

function placeOf(redis: RedisModule, settings: RedisSettings): Place {
  const { place } = settings;
  const create = clientMaker(redis, settings);
  switch (place.kind) {
    case 'cluster': {
      const channels = new RedisChannels(settings.prefix, 0, settings.partitions);
      const keysOf = (partition: number) => [channels.termOf(partition), channels.presenceOf(partition)] as const;
      return { network: new ClusterNetwork(place.options, create, settings, keysOf), database: 0 };
    }
    case 'sentinel':
      return {
        network: new SentinelNetwork(place.options, create, settings),
        database: databaseOf(() => create({ ...place.options.client })),
      };
    case 'server':
      return single(() => create(place.options), settings);
    case 'template': {
      const { client } = place;
      const { options } = client as { options?: RedisClientOptions };
      return single(() => client.duplicate(settled(options?.socket, settings)) as unknown as RedisClient, settings);
    }
  }
}

function single(create: () => RedisClient, settings: RedisSettings): Place {
  return { network: new SingleNetwork(create, settings), database: databaseOf(create) };
}

/** A client knows its database, wherever its options name it: in the URL or beside it. */
function databaseOf(create: () => RedisClient): number {
  try {
    return (create() as { options?: RedisClientOptions }).options?.database ?? 0;
  } catch {
    // The error may quote the address, which may hold a password.
    throw new RealtimeConfigurationError(
      'redisBackend: url and client must fit together, and name the database by its number, like "redis://localhost:6379/1"',
    );
  }
}

/**
 * Makes clients of one that is never connected: `createClient` builds a class with all commands whenever its options differ
 * from those of the call before, which blocks the process for 50 ms and more.
 */
function clientMaker(redis: RedisModule, settings: RedisSettings): (options: RedisClientOptions) => RedisClient {
  const first = redis.createClient({ RESP: 3 });
  return (options) => first.duplicate({ ...options, ...settled(options.socket, settings) }) as never;
}

/** Client options that the backend enforces: no offline queue while Redis is away, and no reconnects by the client itself. */
function settled(socket: RedisClientOptions['socket'], { commandTimeoutMs }: RedisSettings): RedisClientOptions {
  return {
    RESP: 3,
    disableOfflineQueue: true,
    maintNotifications: 'disabled',
    // The client's own timeout covers only what it has not written yet, at the price of a signal for each command.
    commandOptions: { timeout: undefined as never },
    socket: { ...socket, reconnectStrategy: false, connectTimeout: commandTimeoutMs } as never,
  };
}
