import { Injectable, Module, type OnModuleInit } from '@nestjs/common';
import {
  RealtimeModule,
  RealtimeService,
  type DeliveryReport,
  type RealtimeOptions,
  type RealtimeOptionsFactory,
} from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import { describe, expect, it } from 'vitest';
import { listen, TEST_TOKENS, welcomed, type ListeningApp } from '../../helpers/listening-app.js';
import { SECRET, signedToken } from '../../helpers/signed-token.js';

const jwt: RealtimeOptions['jwt'] = { secret: SECRET, algorithms: ['HS256'] };
const token = signedToken({ sub: 'ann' });

/** The configuration service of an application. */
@Injectable()
class Settings implements RealtimeOptionsFactory {
  readonly options: RealtimeOptions = { path: '/live', jwt };

  createRealtimeOptions(): RealtimeOptions {
    return this.options;
  }
}

@Module({ providers: [Settings], exports: [Settings] })
class SettingsModule {}

async function userAt(app: ListeningApp, path: string): Promise<string> {
  return welcomed(await app.connectTo(path, { token }));
}

describe('forRoot', () => {
  it('needs nothing but jwt', async () => {
    const app = await listen({ imports: [RealtimeModule.forRoot({ jwt })] });
    expect(await userAt(app, '/ws')).toBe('ann');
  });

  it('tells clients the defaults', async () => {
    const app = await listen({ imports: [RealtimeModule.forRoot({ jwt })] });
    const client = await app.connect({ token });
    const { payload } = await client.next('realtime:welcome');
    expect(payload).toMatchObject({ heartbeatMs: 25_000, maxMessageBytes: 65_536 });
  });

  it('takes an option that is undefined for one that was left out', async () => {
    const options = { jwt, path: undefined, limits: { maxMessageBytes: undefined }, heartbeat: undefined };
    const app = await listen({ imports: [RealtimeModule.forRoot(options)] });
    const client = await app.connect({ token });
    const { payload } = await client.next('realtime:welcome');
    expect(payload.maxMessageBytes).toBe(65_536);
  });
});

describe('forRootAsync takes the options from', () => {
  it('a factory', async () => {
    const realtime = RealtimeModule.forRootAsync({ useFactory: () => ({ path: '/live', jwt }) });
    expect(await userAt(await listen({ imports: [realtime] }), '/live')).toBe('ann');
  });

  it('a factory that takes its time', async () => {
    const realtime = RealtimeModule.forRootAsync({ useFactory: async () => ({ path: '/live', jwt }) });
    expect(await userAt(await listen({ imports: [realtime] }), '/live')).toBe('ann');
  });

  it('a factory with what it needs', async () => {
    const realtime = RealtimeModule.forRootAsync({
      imports: [SettingsModule],
      inject: [Settings],
      useFactory: ({ options }: Settings) => options,
    });
    expect(await userAt(await listen({ imports: [realtime] }), '/live')).toBe('ann');
  });

  it('a class', async () => {
    const realtime = RealtimeModule.forRootAsync({ useClass: Settings });
    expect(await userAt(await listen({ imports: [realtime] }), '/live')).toBe('ann');
  });

  it('a provider of another module', async () => {
    const realtime = RealtimeModule.forRootAsync({ imports: [SettingsModule], useExisting: Settings });
    expect(await userAt(await listen({ imports: [realtime] }), '/live')).toBe('ann');
  });

  it('a factory, and takes providers beside it', async () => {
    const realtime = RealtimeModule.forRootAsync({ useFactory: () => ({ path: '/live' }), providers: [TEST_TOKENS] });
    const app = await listen({ imports: [realtime] });
    expect(await welcomed(await app.connectTo('/live', { token: testToken('bob') }))).toBe('bob');
  });
});

@Injectable()
class Sender implements OnModuleInit {
  atInit: DeliveryReport | undefined;

  constructor(readonly realtime: RealtimeService) {}

  async onModuleInit(): Promise<void> {
    this.atInit = await this.realtime.broadcast({ type: 'early' });
  }
}

@Module({ providers: [Sender] })
class Elsewhere {}

@Module({ imports: [RealtimeModule], providers: [Sender] })
class Importing {}

describe('RealtimeService', () => {
  it('can be injected in every module', async () => {
    const app = await listen({ imports: [Elsewhere, RealtimeModule.forRoot({ jwt })] });
    expect(app.app.get(Sender, { strict: false }).realtime).toBe(app.realtime);
  });

  it('can be injected in every module with forRootAsync', async () => {
    const realtime = RealtimeModule.forRootAsync({ useFactory: () => ({ jwt }) });
    const app = await listen({ imports: [Elsewhere, realtime] });
    expect(app.app.get(Sender, { strict: false }).realtime).toBe(app.realtime);
  });

  it('has nobody to reach before the application listens', async () => {
    const app = await listen({ imports: [Elsewhere, RealtimeModule.forRoot({ jwt })] });
    const { atInit } = app.app.get(Sender, { strict: false });
    expect(atInit).toMatchObject({ recipients: 0 });
  });

  it('cannot be injected elsewhere when the module is not global', async () => {
    const imports = [Elsewhere, RealtimeModule.forRoot({ jwt, isGlobal: false })];
    await expect(listen({ imports })).rejects.toThrow(/can't resolve dependencies of the Sender/);
  });

  it('can be injected where the module is imported when it is not global', async () => {
    const realtime = RealtimeModule.forRoot({ jwt, isGlobal: false });
    const app = await listen({ imports: [{ module: Elsewhere, imports: [realtime] }] });
    expect(app.app.get(Sender, { strict: false }).realtime).toBe(app.realtime);
  });

  it('can be injected through a module that exports it again', async () => {
    const realtime = RealtimeModule.forRoot({ jwt, isGlobal: false });
    class Shared {}
    const shared = { module: Shared, imports: [realtime], exports: [RealtimeModule] };
    const app = await listen({ imports: [{ module: Elsewhere, imports: [shared] }] });
    expect(app.app.get(Sender, { strict: false }).realtime).toBe(app.realtime);
  });
});

describe('The boot stops with the cure', () => {
  it('when the module is imported without forRoot', async () => {
    await expect(listen({ imports: [RealtimeModule] })).rejects.toThrow(
      'RealtimeModule was imported without forRoot(). Import RealtimeModule.forRoot({ … }) once, in the root module; it is global.',
    );
  });

  it('when a feature module imports it without forRoot', async () => {
    const imports = [RealtimeModule.forRoot({ jwt }), Importing];
    await expect(listen({ imports })).rejects.toThrow('RealtimeModule was imported without forRoot().');
  });

  it('when forRoot was called twice', async () => {
    const imports = [RealtimeModule.forRoot({ jwt }), RealtimeModule.forRoot({ jwt, path: '/other' })];
    await expect(listen({ imports })).rejects.toThrow(
      'RealtimeModule.forRoot() was called 2 times in this application. Call it once, in the root module',
    );
  });

  it('when forRoot was called twice with the same options', async () => {
    const imports = [RealtimeModule.forRoot({ jwt }), RealtimeModule.forRoot({ jwt })];
    await expect(listen({ imports })).rejects.toThrow('was called 2 times');
  });

  it('when forRoot and forRootAsync were called', async () => {
    const imports = [RealtimeModule.forRoot({ jwt }), RealtimeModule.forRootAsync({ useFactory: () => ({ jwt }) })];
    await expect(listen({ imports })).rejects.toThrow('was called 2 times');
  });
});

describe('One call of forRoot', () => {
  it('may be imported in several places', async () => {
    const realtime = RealtimeModule.forRoot({ jwt, isGlobal: false });
    class First {}
    class Second {}
    const imports = [
      { module: First, imports: [realtime] },
      { module: Second, imports: [realtime] },
    ];
    expect(await userAt(await listen({ imports }), '/ws')).toBe('ann');
  });

  it('may serve one application after another', async () => {
    const realtime = RealtimeModule.forRoot({ jwt });
    await (await listen({ imports: [realtime] })).close();
    expect(await userAt(await listen({ imports: [realtime] }), '/ws')).toBe('ann');
  });
});

describe('Two applications in one process', () => {
  async function two(): Promise<[ListeningApp, ListeningApp]> {
    const first = await listen({ imports: [RealtimeModule.forRoot({ jwt })] });
    const second = await listen({ imports: [RealtimeModule.forRoot({ path: '/other', providers: [TEST_TOKENS] })] });
    return [first, second];
  }

  it('serve their own paths', async () => {
    const [first] = await two();
    await expect(first.connectTo('/other', { token })).rejects.toMatchObject({ status: 404 });
  });

  it('take their own tokens', async () => {
    const [first] = await two();
    await expect(first.connect({ token: testToken('ann') })).rejects.toMatchObject({ status: 401 });
  });

  it('do not reach the clients of the other', async () => {
    const [first, second] = await two();
    await welcomed(await first.connect({ token }));
    expect(await second.realtime.sendToUser('ann', { type: 'hello' })).toMatchObject({ recipients: 0 });
  });

  it('do not see the clients of the other', async () => {
    const [first, second] = await two();
    await welcomed(await first.connect({ token }));
    expect(await second.realtime.counts()).toMatchObject({ connections: 0 });
  });

  it('close for themselves', async () => {
    const [first, second] = await two();
    await first.close();
    expect(await welcomed(await second.connectTo('/other', { token: testToken('ann') }))).toBe('ann');
  });
});
