import 'reflect-metadata';
import {
  Controller,
  ForbiddenException,
  Get,
  Injectable,
  Logger,
  Req,
  UseGuards,
  type ExecutionContext,
  type INestApplication,
  type ModuleMetadata,
} from '@nestjs/common';
import { APP_GUARD, Reflector, type AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { MessageBody } from '@nestjs/websockets';
import { describe, expect, it, onTestFinished } from 'vitest';
import { answers, bootHandlers, connectionOf } from '../../test/helpers/handler-harness.js';
import type { RealtimeConnection } from '../core/connection/connection.js';
import { CurrentConnection } from '../decorators/current-connection.decorator.js';
import { OnJoin } from '../decorators/on-join.decorator.js';
import { OnMessage } from '../decorators/on-message.decorator.js';
import type { RealtimeUser } from './realtime-user.js';
import { RequirePermissions } from './require-permissions.decorator.js';
import { RequireRoles } from './require-roles.decorator.js';
import { TopicGateway } from '../decorators/topic-gateway.decorator.js';
import { RealtimeConfigurationError } from '../errors/realtime-configuration.error.js';
import { RealtimeError } from '../errors/realtime.error.js';
import { Authenticator, type Authenticated } from '../ports/authenticator.js';
import { RealtimeAuthGuard } from './realtime-auth.guard.js';

/** Knows the token `ann`, and words that say what goes wrong. */
class FakeAuthenticator extends Authenticator {
  calls = 0;

  async authenticate(token: string): Promise<Authenticated> {
    this.calls += 1;
    if (token === 'expired') throw new RealtimeError('TOKEN_EXPIRED', `token ${token} is old`);
    if (token === 'unavailable') throw new RealtimeError('UNAVAILABLE', `token ${token} cannot be checked`);
    if (token === 'forged') throw new RealtimeError('UNAUTHENTICATED', `token ${token} is bad`);
    if (token === 'locked') throw new ForbiddenException(`token ${token} is locked`);
    if (token !== 'ann') throw new Error(`no answer about token ${token}`);
    return {
      identity: {
        userId: 'ann',
        roles: new Set(['editor']),
        permissions: new Set(['read', 'write']),
        metadata: { plan: 'pro' },
      },
      expiresAt: new Date(4_000_000_000_000),
    };
  }
}

@Controller()
class OpenController {
  @Get('open')
  open(@CurrentConnection() connection: unknown) {
    return { connection: connection === undefined ? 'none' : 'some' };
  }
}

@Controller('articles')
@RequireRoles('admin', 'owner')
class ArticlesController {
  @Get('audit')
  audit() {
    return 'audited';
  }

  @Get('edit')
  @RequireRoles('editor', 'admin')
  edit() {
    return 'edited';
  }

  @Get('delete')
  @RequireRoles('editor')
  @RequirePermissions('read', 'delete')
  delete() {
    return 'deleted';
  }

  @Get('write')
  @RequireRoles('editor')
  @RequirePermissions('read', 'write')
  @UseGuards(RealtimeAuthGuard)
  write() {
    return 'written';
  }
}

@Controller()
@UseGuards(RealtimeAuthGuard)
class MeController {
  @Get('me')
  me(@Req() { user }: { user: RealtimeUser }) {
    return { ...user, roles: [...user.roles], permissions: [...user.permissions] };
  }
}

const adapters: [string, () => AbstractHttpAdapter][] = [
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
];

/** Serves the controllers, and gives a function that asks them. */
async function serve(
  adapter: AbstractHttpAdapter = new ExpressAdapter(),
  { providers = [], ...metadata }: ModuleMetadata = {},
) {
  const authenticator = new FakeAuthenticator();
  const module = await Test.createTestingModule({
    controllers: [MeController, ArticlesController, OpenController],
    ...metadata,
    providers: [{ provide: Authenticator, useValue: authenticator }, ...providers],
  }).compile();
  const logs: string[] = [];
  const log = (...parts: unknown[]) => void logs.push(parts.map(String).join(' '));
  module.useLogger({ log, warn: log, error: log, debug: log, verbose: log, fatal: log });
  onTestFinished(() => Logger.overrideLogger(false));
  const app: INestApplication = module.createNestApplication(adapter);
  await app.listen(0, '127.0.0.1');
  onTestFinished(() => app.close());
  const url = await app.getUrl();
  const ask = async (path: string, authorization?: string) => {
    const response = await fetch(`${url}/${path}`, { headers: authorization ? { authorization } : {} });
    const text = await response.text();
    return { status: response.status, challenge: response.headers.get('www-authenticate'), text };
  };
  return { ask, authenticator, logs };
}

describe.each(adapters)('on an HTTP route (%s), RealtimeAuthGuard', (_name, adapter) => {
  it('lets a genuine token in and sets request.user', async () => {
    const { ask } = await serve(adapter());
    const { status, text } = await ask('me', 'Bearer ann');

    expect([status, JSON.parse(text)]).toEqual([
      200,
      {
        userId: 'ann',
        roles: ['editor'],
        permissions: ['read', 'write'],
        metadata: { plan: 'pro' },
        expiresAt: '2096-10-02T07:06:40.000Z',
      },
    ]);
  });

  it.each([
    [undefined, 'UNAUTHENTICATED', 'A token is required: "Authorization: Bearer <token>".'],
    ['Basic YW5uOg==', 'UNAUTHENTICATED', 'A token is required: "Authorization: Bearer <token>".'],
    ['Bearer forged', 'UNAUTHENTICATED', 'The token is not valid.'],
    ['Bearer expired', 'TOKEN_EXPIRED', 'The token has expired; get a new one and try again.'],
  ])('answers 401 to the header %s', async (authorization, errorCode, message) => {
    const { ask } = await serve(adapter());
    const { status, challenge, text } = await ask('me', authorization);

    expect([status, challenge, JSON.parse(text)]).toEqual([
      401,
      'Bearer',
      { statusCode: 401, error: 'Unauthorized', message, errorCode },
    ]);
  });

  it.each(['unavailable', 'broken'])('answers 503 when tokens cannot be verified at the moment (%s)', async (token) => {
    const { ask } = await serve(adapter());
    const { status, text } = await ask('me', `Bearer ${token}`);

    expect([status, JSON.parse(text)]).toMatchObject([503, { errorCode: 'UNAVAILABLE' }]);
  });

  it('answers 403 to somebody whom the authenticator locks out', async () => {
    const { ask } = await serve(adapter());
    const { status, text } = await ask('me', 'Bearer locked');

    expect([status, JSON.parse(text)]).toMatchObject([403, { errorCode: 'FORBIDDEN' }]);
  });

  it('answers 403 without a role that is required', async () => {
    const { ask } = await serve(adapter());
    const { status, text } = await ask('articles/audit', 'Bearer ann');

    expect([status, JSON.parse(text)]).toEqual([
      403,
      {
        statusCode: 403,
        error: 'Forbidden',
        message: 'A required role is missing.',
        errorCode: 'FORBIDDEN',
      },
    ]);
  });
});

describe('on an HTTP route, RealtimeAuthGuard', () => {
  it.each([
    ['articles/edit', 200, "a role of the method's list, whatever the class asks for"],
    ['articles/delete', 403, 'one of two permissions'],
    ['articles/write', 200, 'a role and all permissions'],
  ])('answers %s with %i: %s', async (path, status) => {
    const { ask } = await serve();

    expect(await ask(path, 'Bearer ann')).toMatchObject({ status });
  });

  it('verifies the token once, however often it is bound', async () => {
    const { ask, authenticator } = await serve(undefined, {
      providers: [{ provide: APP_GUARD, useClass: RealtimeAuthGuard }],
    });
    await ask('articles/write', 'Bearer ann');

    expect(authenticator.calls).toBe(1);
  });

  it('verifies the token of every request', async () => {
    const { ask, authenticator } = await serve();
    await ask('me', 'Bearer ann');
    await ask('me', 'Bearer ann');

    expect(authenticator.calls).toBe(2);
  });

  it('protects every route as APP_GUARD', async () => {
    const { ask } = await serve(undefined, { providers: [{ provide: APP_GUARD, useClass: RealtimeAuthGuard }] });

    expect(await ask('open')).toMatchObject({ status: 401 });
  });

  it('leaves a route alone that does not bind it', async () => {
    const { ask } = await serve();

    expect(await ask('open')).toMatchObject({ status: 200, text: '{"connection":"none"}' });
  });

  it.each(['forged', 'expired', 'unavailable'])('says nothing of the token %s, nor in the log', async (token) => {
    const { ask, logs } = await serve();
    const { text } = await ask('me', `Bearer ${token}`);

    expect([text, ...logs].filter((line) => line.includes(`token ${token}`))).toEqual([]);
  });
});

@TopicGateway('article:{id}')
@RequireRoles('editor')
class ArticleTopic {
  @OnMessage('read')
  read() {
    return 'read';
  }

  @OnMessage('delete')
  @RequirePermissions('delete')
  delete() {
    return 'deleted';
  }

  @OnMessage('purge')
  @RequireRoles('admin')
  purge() {
    return 'purged';
  }
}

@TopicGateway('open:{id}')
class OpenTopic {
  @OnMessage('who')
  who(@CurrentConnection() me: RealtimeConnection) {
    return me.userId;
  }
}

describe('on a topic handler, RealtimeAuthGuard', () => {
  const topic = 'article:1';
  const boot = (...providers: NonNullable<ModuleMetadata['providers']>) =>
    bootHandlers({
      providers: [ArticleTopic, OpenTopic, { provide: Authenticator, useClass: FakeAuthenticator }, ...providers],
    });

  it.each([
    ['read', { roles: ['editor'] }, { value: 'read' }],
    ['read', { roles: ['reader'] }, { error: { message: 'A required role is missing.' } }],
    ['delete', { roles: ['editor'], permissions: ['delete'] }, { value: 'deleted' }],
    ['delete', { roles: ['editor'] }, { error: { message: 'A required permission is missing.' } }],
    ['delete', { permissions: ['delete'] }, { error: { message: 'A required role is missing.' } }],
    ['purge', { roles: ['admin'] }, { value: 'purged' }],
    ['purge', { roles: ['editor'] }, { error: { message: 'A required role is missing.' } }],
  ])('answers %s from a connection with %o', async (type, rights, expected) => {
    const connection = connectionOf('ann', rights);
    const [answer] = await answers(await boot(), type, undefined, { topic, connection });

    expect(answer).toMatchObject(expected);
  });

  it('says FORBIDDEN to those it refuses', async () => {
    const [answer] = await answers(await boot(), 'read', undefined, { topic });

    expect(answer).toMatchObject({ error: { code: 'FORBIDDEN', action: 'message', topic } });
  });

  it('lets connections in as APP_GUARD, for they are authenticated', async () => {
    const dispatcher = await boot({ provide: APP_GUARD, useClass: RealtimeAuthGuard });

    expect(await answers(dispatcher, 'who', undefined, { topic: 'open:1' })).toEqual([{ value: 'ann' }]);
  });

  it('lets hooks of presence run, behind which nobody asks for anything', async () => {
    const calls: string[] = [];
    @TopicGateway('room:{id}', { presence: true })
    @RequireRoles('admin')
    class RoomTopic {
      @OnJoin()
      joined(@MessageBody('userId') userId: string) {
        calls.push(userId);
      }
    }
    await (await boot(RoomTopic)).presenceChanged('room:1', { kind: 'joined', userId: 'ann' });

    expect(calls).toEqual(['ann']);
  });

  it('does not look at the age of the token, which the gateway does', async () => {
    const connection = { ...connectionOf('ann', { roles: ['editor'] }), expiresAt: new Date(0) };

    expect(await answers(await boot(), 'read', undefined, { topic, connection })).toEqual([{ value: 'read' }]);
  });

  it('is brought along by @RequireRoles, so that the boot fails where nobody can authenticate', async () => {
    await expect(bootHandlers({ providers: [ArticleTopic] })).rejects.toThrow(/dependencies of the RealtimeAuthGuard/);
  });
});

describe('in any other context, RealtimeAuthGuard', () => {
  it.each(['graphql', 'rpc', 'ws'])('fails and names the handler and the context (%s)', async (type) => {
    @Injectable()
    class CatsResolver {
      find() {}
    }
    const context = {
      getType: () => type,
      getClass: () => CatsResolver,
      getHandler: () => CatsResolver.prototype.find,
      getArgByIndex: () => ({ connection: connectionOf('mallory') }),
    } as unknown as ExecutionContext;
    const guard = new RealtimeAuthGuard(new FakeAuthenticator(), new Reflector());
    const error = await guard.canActivate(context).catch((thrown: unknown) => thrown as Error);

    expect(error).toEqual(
      new RealtimeConfigurationError(
        'CatsResolver.find: RealtimeAuthGuard supports HTTP routes and topic handlers, not the context type ' +
          `"${type}" that it was called for; bind another guard there.`,
      ),
    );
  });
});

describe('@RequireRoles and @RequirePermissions', () => {
  it.each([RequireRoles, RequirePermissions])('refuse an empty list (%o)', (decorator) => {
    expect(() => decorator()).toThrow(RealtimeConfigurationError);
  });
});
