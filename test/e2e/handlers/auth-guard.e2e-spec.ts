import { Controller, Get, Module, Req, UseGuards } from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import {
  JwtVerifier,
  OnConnect,
  OnMessage,
  OnSubscribe,
  RealtimeAuthGuard,
  RealtimeModule,
  RequirePermissions,
  RequireRoles,
  TopicGateway,
  type RealtimeUser,
} from 'nestjs-realtime';
import { startTestApp, TestJwtVerifier, testToken, type TestApp, type TestClient } from 'nestjs-realtime/testing';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { startRealtimeApp } from '../../helpers/realtime-app.js';

@Controller('reports')
@UseGuards(RealtimeAuthGuard)
class ReportsController {
  @Get()
  list(@Req() { user }: { user: RealtimeUser }) {
    return { ...user, roles: [...user.roles], permissions: [...user.permissions] };
  }

  @Get('admins')
  @RequireRoles('admin', 'owner')
  forAdmins() {
    return 'for admins';
  }

  @Get('writers')
  @RequirePermissions('read', 'write')
  forWriters() {
    return 'for writers';
  }
}

@Controller('open')
class OpenController {
  @Get()
  open() {
    return 'open';
  }
}

@TopicGateway('desk')
@UseGuards(RealtimeAuthGuard)
class DeskTopic {
  @OnSubscribe()
  @RequireRoles('staff', 'admin')
  join() {
    return true;
  }

  @OnMessage('ask', { requireSubscription: false })
  ask() {
    return 'asked';
  }

  @OnMessage('admin', { requireSubscription: false })
  @RequireRoles('admin', 'owner')
  forAdmins() {
    return 'for admins';
  }

  @OnMessage('write', { requireSubscription: false })
  @RequirePermissions('read', 'write')
  forWriters() {
    return 'for writers';
  }
}

const verifier = { provide: JwtVerifier, useClass: TestJwtVerifier };

@Module({
  imports: [RealtimeModule.forRoot({ providers: [verifier] })],
  controllers: [ReportsController, OpenController],
  providers: [DeskTopic],
})
class AppModule {}

describe.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('RealtimeAuthGuard on a controller, with %s', (_platform, adapter) => {
  let app: TestApp;

  beforeEach(async () => {
    app = await startTestApp(await NestFactory.create(AppModule, adapter(), { logger: false }));
    onTestFinished(() => app.close());
  });

  const get = (path: string, token?: string) =>
    fetch(`${app.url}/${path}`, token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } });

  it('lets a user with a valid token in', async () => {
    expect((await get('reports', testToken('ann'))).status).toBe(200);
  });

  it('leaves the user in the request', async () => {
    const response = await get('reports', testToken('ann', { roles: ['staff'], permissions: ['read'] }));
    expect(await response.json()).toMatchObject({ userId: 'ann', roles: ['staff'], permissions: ['read'] });
  });

  it.each([
    ['no token', undefined, 'UNAUTHENTICATED'],
    ['a token that is none', 'hunter2', 'UNAUTHENTICATED'],
    ['a token that has expired', testToken('ann', { exp: 1 }), 'TOKEN_EXPIRED'],
    ['a token without a user', testToken(''), 'UNAUTHENTICATED'],
  ])('answers %s with 401', async (_what, token, errorCode) => {
    const response = await get('reports', token);
    expect([response.status, await response.json()]).toMatchObject([401, { statusCode: 401, errorCode }]);
  });

  it('says how to authenticate', async () => {
    expect((await get('reports')).headers.get('www-authenticate')).toBe('Bearer');
  });

  it.each([
    ['one of the roles', ['owner'], 200],
    ['another role', ['staff'], 403],
    ['no role', [], 403],
  ])('answers a user with %s as @RequireRoles() says', async (_what, roles, status) => {
    expect((await get('reports/admins', testToken('ann', { roles }))).status).toBe(status);
  });

  it.each([
    ['all permissions', ['read', 'write', 'delete'], 200],
    ['one of the permissions', ['read'], 403],
    ['no permission', [], 403],
  ])('answers a user with %s as @RequirePermissions() says', async (_what, permissions, status) => {
    expect((await get('reports/writers', testToken('ann', { permissions }))).status).toBe(status);
  });

  it('says FORBIDDEN in the body of a 403', async () => {
    const response = await get('reports/admins', testToken('ann'));
    expect(await response.json()).toMatchObject({ statusCode: 403, errorCode: 'FORBIDDEN' });
  });

  it('leaves other controllers open', async () => {
    expect((await get('open')).status).toBe(200);
  });

  it('does not take the token from the URL', async () => {
    expect((await get(`reports?token=${testToken('ann')}`)).status).toBe(401);
  });

  it('does not quote the token', async () => {
    expect(await (await get('reports', 'hunter2')).text()).not.toContain('hunter2');
  });
});

describe('RealtimeAuthGuard on topic handlers', () => {
  const connect = async (claims: object): Promise<TestClient> => {
    const app = await startRealtimeApp({ providers: [DeskTopic] });
    return app.connectAs('ann', { ...claims });
  };
  const ask = async (claims: object, type: string) => {
    const client = await connect(claims);
    const { payload } = await client.request({ action: 'message', topic: 'desk', type });
    return payload?.code ?? payload;
  };

  it('lets every connection in, for it was authenticated', async () => {
    expect(await ask({}, 'ask')).toBe('asked');
  });

  it.each([
    ['one of the roles', ['owner'], 'for admins'],
    ['another role', ['staff'], 'FORBIDDEN'],
  ])('answers a connection with %s as @RequireRoles() says', async (_what, roles, answer) => {
    expect(await ask({ roles }, 'admin')).toBe(answer);
  });

  it.each([
    ['all permissions', ['write', 'read'], 'for writers'],
    ['one of the permissions', ['write'], 'FORBIDDEN'],
  ])('answers a connection with %s as @RequirePermissions() says', async (_what, permissions, answer) => {
    expect(await ask({ permissions }, 'write')).toBe(answer);
  });

  it.each([
    ['one of the roles', ['staff'], 'realtime:subscribed'],
    ['another role', ['guest'], 'realtime:error'],
  ])('answers a connection with %s on @OnSubscribe()', async (_what, roles, type) => {
    const client = await connect({ roles });
    expect(await client.request({ action: 'subscribe', topic: 'desk' })).toMatchObject({ type });
  });

  it('goes by the roles of a renewed token', async () => {
    const client = await connect({ roles: [] });
    await client.request({ action: 'auth', token: testToken('ann', { roles: ['admin'] }) });
    const { payload } = await client.request({ action: 'message', topic: 'desk', type: 'admin' });
    expect(payload).toBe('for admins');
  });

  it('takes roles away with a renewed token', async () => {
    const client = await connect({ roles: ['admin'] });
    await client.request({ action: 'auth', token: testToken('ann') });
    const { payload } = await client.request({ action: 'message', topic: 'desk', type: 'admin' });
    expect(payload.code).toBe('FORBIDDEN');
  });
});

class Doorman {
  @OnConnect()
  @RequireRoles('staff')
  came() {}
}

describe('RealtimeAuthGuard as APP_GUARD', () => {
  const parts = {
    controllers: [ReportsController, OpenController],
    providers: [Doorman, DeskTopic, { provide: APP_GUARD, useExisting: RealtimeAuthGuard }],
  };

  it('closes every controller', async () => {
    const app = await startRealtimeApp(parts);
    expect((await fetch(`${app.url}/open`)).status).toBe(401);
  });

  it('lets users in everywhere', async () => {
    const app = await startRealtimeApp(parts);
    const headers = { Authorization: `Bearer ${testToken('ann')}` };
    expect((await fetch(`${app.url}/open`, { headers })).status).toBe(200);
  });

  it('guards @OnConnect(): who lacks the role is not let in', async () => {
    const app = await startRealtimeApp(parts);
    const client = await app.connect({ token: testToken('ann') });
    expect(await client.nextClose()).toMatchObject({ code: 3507 });
  });

  it('guards @OnConnect(): who has the role is let in', async () => {
    const app = await startRealtimeApp(parts);
    const client = await app.connectAs('ann', { roles: ['staff'] });
    await expect(client.request({ action: 'subscribe', topic: 'desk' })).resolves.toMatchObject({
      type: 'realtime:subscribed',
    });
  });
});
