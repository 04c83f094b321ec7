import {
  Controller,
  Get,
  Injectable,
  Module,
  VersioningType,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
} from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { CLOSE_CODES, MessageBody, OnMessage, OnSubscribe, RealtimeModule, TopicGateway, user } from 'nestjs-realtime';
import { RealtimeInspectorModule, type RealtimeInspectorOptions } from 'nestjs-realtime/inspector';
import { MessageBus } from 'nestjs-realtime/ports';
import { testToken } from 'nestjs-realtime/testing';
import { map, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { listen, PLATFORMS, TEST_TOKENS, type ListeningApp, type Platform } from '../../helpers/listening-app.js';

/** What the guard injects. */
@Injectable()
class Administrators {
  readonly passwords = ['open sesame'];
}

@Module({ providers: [Administrators], exports: [Administrators] })
class AdministratorsModule {}

@Injectable()
class AdminGuard implements CanActivate {
  constructor(private readonly administrators: Administrators) {}

  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
    return this.administrators.passwords.includes(headers['x-password'] ?? '');
  }
}

@TopicGateway('chat:{room}')
class Chat {
  @OnSubscribe()
  join() {
    return true;
  }

  @OnMessage('say')
  say(@MessageBody() body: unknown) {
    return body;
  }
}

@Controller()
class Greeting {
  @Get('greeting')
  greet() {
    return 'hello';
  }
}

/** Wraps what HTTP handlers return, as many applications do. */
class Wrapping {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getType() !== 'http') return next.handle();
    return next.handle().pipe(map((data: unknown) => ({ data })));
  }
}

interface Parts extends Partial<RealtimeInspectorOptions> {
  readonly platform?: Platform;
  readonly configure?: (app: INestApplication) => void;
  readonly ports?: object[];
}

async function start({ platform = 'Express', configure, ports = [], ...options }: Parts = {}) {
  const app = await listen({
    platform,
    path: '/ws',
    imports: [
      RealtimeModule.forRoot({ path: '/ws', providers: [TEST_TOKENS, ...(ports as [])] }),
      RealtimeInspectorModule.forRoot({ guard: AdminGuard, imports: [AdministratorsModule], ...options }),
    ],
    controllers: [Greeting],
    providers: [Chat, { provide: APP_INTERCEPTOR, useClass: Wrapping }],
    ...(configure && { configure }),
  });
  const get = (path: string, password = 'open sesame') =>
    fetch(`${app.url}${path}`, { headers: { 'x-password': password } });
  const json = async (path: string) => (await get(path)).json() as Promise<any>;
  return { app, get, json };
}

async function connect(app: ListeningApp, userId: string, claims = {}) {
  const client = await app.connect({ token: testToken(userId, claims) });
  await client.next('realtime:welcome');
  return client;
}

const FILES = ['inspector.css', 'inspector.js', 'parts.js', 'table.js', 'text.js', 'close-meanings.js', 'icon.svg'];

describe.each(PLATFORMS)('The inspector on %s', (platform) => {
  it('asks its guard for the page, its files and its data, with what the guard injects', async () => {
    const { get } = await start({ platform });
    const paths = ['', ...FILES.map((name) => `/${name}`), '/fleet.json', '/user.json?id=ann', '/nothing.js'];
    const statuses = (password: string) =>
      Promise.all(paths.map(async (path) => (await get(`/realtime${path}`, password)).status));
    expect(await statuses('wrong')).toEqual(paths.map(() => 403));
    expect(await statuses('open sesame')).toEqual(paths.map((path) => (path === '/nothing.js' ? 404 : 200)));
  });

  it('lets no browser run, load or keep anything else', async () => {
    const { get } = await start({ platform });
    for (const path of ['', '/inspector.js', '/fleet.json']) {
      const { headers } = await get(`/realtime${path}`);
      expect(headers.get('content-security-policy')).toMatch(
        /^default-src 'none'; script-src 'self'; style-src 'self';/,
      );
      expect(headers.get('content-security-policy')).not.toContain('unsafe');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  it('has a page without a script, a style or a foreign address in it', async () => {
    const { get } = await start({ platform });
    const response = await get('/realtime');
    const page = await response.text();
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|https?:/);
  });

  it('finds its files below a global prefix and beside versions', async () => {
    const { get } = await start({
      platform,
      path: '/admin/realtime',
      configure: (app) => {
        app.setGlobalPrefix('api');
        app.enableVersioning({ type: VersioningType.URI, defaultVersion: '2' });
      },
    });
    const { url, ...page } = await get('/api/admin/realtime?x=/y').then(async (each) => ({
      url: each.url,
      text: await each.text(),
    }));
    const files = Array.from(
      page.text.matchAll(/(?:src|href)="([^"#]+)"/g),
      ([, link]) => new URL(link!, url).pathname,
    );
    expect(files).toContain('/api/admin/realtime/inspector.js');
    for (const file of files) expect((await get(file)).status).toBe(200);
  });

  it('is what it is although the application wraps all answers', async () => {
    const { get, json } = await start({ platform });
    expect(await json('/greeting')).toEqual({ data: 'hello' });
    expect(await (await get('/realtime')).text()).toMatch(/^<!doctype html>/);
    expect(Object.keys(await json('/realtime/fleet.json'))).toContain('nodes');
  });

  it('shows what the node holds, what was sent, and who was closed and refused for which reason', async () => {
    const { app, json } = await start({ platform });
    const ann = await connect(app, 'ann');
    const bob = await connect(app, 'bob');
    ann.send({ action: 'subscribe', id: '1', topic: 'chat:1' });
    await ann.next('realtime:subscribed');
    await app.realtime.publish('chat:1', { type: 'said', payload: 1 });
    await app.realtime.disconnect(user('bob'), { reason: 'tidying up' });
    await bob.nextClose();
    await expect(app.connect({ token: 'not a token' })).rejects.toThrow();
    const fleet = await json('/realtime/fleet.json');
    expect(fleet.nodes).toEqual([
      expect.objectContaining({
        id: fleet.nodeId,
        state: 'up',
        counts: { connections: 1, users: 1, topics: 1, subscriptions: 1 },
        queueBytes: expect.any(Number),
      }),
    ]);
    expect(fleet.traffic).toContainEqual(
      expect.objectContaining({ address: 'topic', pattern: 'chat:{room}', sent: 1, received: 0 }),
    );
    expect(fleet.closes).toEqual([
      expect.objectContaining({
        kind: String(CLOSE_CODES.FORCED.code),
        last: [expect.objectContaining({ userId: 'bob', reason: 'tidying up', byServer: true, nodeId: fleet.nodeId })],
      }),
    ]);
    expect(fleet.refusals).toEqual([
      expect.objectContaining({
        kind: '401 UNAUTHENTICATED',
        count: 1,
        last: [expect.objectContaining({ status: 401 })],
      }),
    ]);
  });
});

it('shows rates from the second look on', async () => {
  const { app, json } = await start();
  const ann = await connect(app, 'ann');
  expect((await json('/realtime/fleet.json')).rates).toBeUndefined();
  await expect
    .poll(async () => {
      await app.realtime.sendToUser('ann', { type: 'hello' });
      await ann.next('hello');
      return (await json('/realtime/fleet.json')).rates?.sent;
    })
    .toBeGreaterThan(0);
});

it('shows the connections of a user with their topics, and no metadata', async () => {
  const { app, json } = await start();
  const ann = await connect(app, 'ann', { roles: ['staff'], secret: 'hunter2' });
  for (const room of ['2', '1']) {
    ann.send({ action: 'subscribe', id: room, topic: `chat:${room}` });
    await ann.next('realtime:subscribed');
  }
  const found = await json('/realtime/user.json?id=ann');
  expect(found).toMatchObject({
    isComplete: true,
    count: 1,
    connections: [{ roles: ['staff'], topics: ['chat:1', 'chat:2'], topicCount: 2 }],
  });
  expect(JSON.stringify(found)).not.toContain('hunter2');
  expect(await json('/realtime/user.json?id=nobody')).toEqual({ isComplete: true, count: 0, connections: [] });
});

it('never shows a token, neither one that was taken nor one that was refused', async () => {
  const { app, json } = await start({ tail: { payloads: true } });
  const token = testToken('ann');
  await (await app.connect({ token })).next('realtime:welcome');
  await expect(app.connect({ token: 'refused-token' })).rejects.toThrow();
  const shown = JSON.stringify([await json('/realtime/fleet.json'), await json('/realtime/user.json?id=ann')]);
  expect([shown.includes('401 UNAUTHENTICATED'), shown.includes(token), shown.includes('refused-token')]).toEqual([
    true,
    false,
    false,
  ]);
});

it.each([
  ['no id', '/realtime/user.json'],
  ['an empty id', '/realtime/user.json?id='],
  ['two ids', '/realtime/user.json?id=a&id=b'],
  ['an id that is too long', `/realtime/user.json?id=${'x'.repeat(2_000)}`],
])('refuses a search for %s with 400', async (_what, path) => {
  const { get } = await start();
  expect((await get(path)).status).toBe(400);
});

describe('the messages to a topic', () => {
  const watch = (json: (path: string) => Promise<any>) => async () =>
    (await json('/realtime/fleet.json?tail=chat:1')).tail;

  it('are not shown unless the option says so', async () => {
    const { get } = await start();
    const response = await get('/realtime/fleet.json?tail=chat:1');
    expect([response.status, (await response.json()) as object]).toEqual([
      400,
      expect.objectContaining({ message: expect.stringContaining('tail: true') }),
    ]);
  });

  it('are shown with type and size, from the moment that somebody looks', async () => {
    const { app, json } = await start({ tail: true });
    const tail = watch(json);
    await app.realtime.publish('chat:1', { type: 'before' });
    expect(await tail()).toEqual([]);
    await app.realtime.publish('chat:1', { type: 'said', payload: 'secret' });
    await app.realtime.publish('chat:2', { type: 'elsewhere' });
    const [said] = await tail();
    expect(said).toMatchObject({ n: 1, type: 'said', bytes: expect.any(Number), nodeId: expect.any(String) });
    expect(JSON.stringify(await tail())).not.toMatch(/secret|before|elsewhere/);
  });

  it('are shown themselves only if the option says so, shortened', async () => {
    const { app, json } = await start({ tail: { payloads: true } });
    const tail = watch(json);
    await tail();
    await app.realtime.publish('chat:1', { type: 'said', payload: 'x'.repeat(5_000) });
    const [said] = await tail();
    expect([said.bytes > 5_000, said.text.length, said.text.startsWith('{"type":"said"')]).toEqual([true, 1_001, true]);
  });

  it('are refused for what is no topic', async () => {
    const { get } = await start({ tail: true });
    expect((await get('/realtime/fleet.json?tail=')).status).toBe(400);
  });
});

it('asks the nodes only while somebody looks', async () => {
  const kinds: string[] = [];
  const { app, json } = await start();
  const bus = app.app.get(MessageBus);
  const ask = bus.ask.bind(bus);
  bus.ask = (subject, query, options) => {
    kinds.push(query.kind);
    return ask(subject, query, options);
  };
  const ann = await connect(app, 'ann');
  await app.realtime.sendToUser('ann', { type: 'hello' });
  await ann.next('hello');
  expect(kinds).toEqual([]);
  await json('/realtime/fleet.json');
  expect(kinds).toEqual(['inspection']);
});

it('stops the boot without a guard, and says what to write', () => {
  const forRoot = () => RealtimeInspectorModule.forRoot({} as RealtimeInspectorOptions);
  expect(forRoot).toThrow(/guard is required.*RealtimeInspectorModule\.forRoot\(\{ guard: AdminGuard \}\)/);
});

it('stops the boot without RealtimeModule, and says what to import', async () => {
  const boot = listen({
    imports: [RealtimeInspectorModule.forRoot({ guard: AdminGuard, imports: [AdministratorsModule] })],
  });
  await expect(boot).rejects.toThrow('beside RealtimeModule.forRoot');
});
