import 'reflect-metadata';
import { UseGuards } from '@nestjs/common';
import { MessageBody } from '@nestjs/websockets';
import { beforeEach, describe, expect, it } from 'vitest';
import { bootHandlers, collectLogs } from '../../test/helpers/handler-harness.js';
import type { PresenceChange } from '../core/presence/presence.js';
import { OnJoin } from '../decorators/on-join.decorator.js';
import { OnLeave } from '../decorators/on-leave.decorator.js';
import { realtimeContextOf, type RealtimeContext } from '../decorators/realtime-context.js';
import { TopicGateway } from '../decorators/topic-gateway.decorator.js';
import { TopicName } from '../decorators/topic-name.decorator.js';
import { TopicParam } from '../decorators/topic-param.decorator.js';

const JOINED: PresenceChange = { kind: 'joined', userId: 'ann', info: { name: 'Ann' } };
const LEFT: PresenceChange = { kind: 'left', userId: 'ann' };

let calls: unknown[];
beforeEach(() => (calls = []));

@TopicGateway('chat:{room}', { presence: true })
class ChatTopic {
  @OnJoin()
  joined(connection: undefined, change: PresenceChange, context: RealtimeContext) {
    calls.push([connection, change, context.event, context.topic, context.connection]);
  }

  @OnLeave()
  left(@MessageBody('userId') userId: string, @TopicName() topic: string, @TopicParam('room') room: string) {
    calls.push([userId, topic, room]);
  }
}

@TopicGateway('guarded:{room}', { presence: true })
class GuardedTopic {
  @OnJoin()
  @UseGuards({ canActivate: (context) => realtimeContextOf(context)?.topic === 'guarded:open' })
  joined(@TopicName() topic: string) {
    calls.push(topic);
  }

  @OnLeave()
  left() {
    throw new TypeError('broken');
  }
}

const boot = () => bootHandlers({ providers: [ChatTopic, GuardedTopic] });

describe('a hook of presence', () => {
  it('is called with who it is about, and no connection', async () => {
    await (await boot()).presenceChanged('chat:lobby', JOINED);

    expect(calls).toEqual([[undefined, JOINED, 'join', 'chat:lobby', undefined]]);
  });

  it('may ask for what it needs by decorators', async () => {
    await (await boot()).presenceChanged('chat:lobby', LEFT);

    expect(calls).toEqual([['ann', 'chat:lobby', 'lobby']]);
  });

  it('runs when its guards let it', async () => {
    collectLogs();
    const dispatcher = await boot();
    await dispatcher.presenceChanged('guarded:closed', JOINED);
    await dispatcher.presenceChanged('guarded:open', JOINED);

    expect(calls).toEqual(['guarded:open']);
  });

  it('is logged when it fails, and harms nobody', async () => {
    const logs = collectLogs();
    await (await boot()).presenceChanged('guarded:open', LEFT);

    expect(logs).toEqual([expect.stringMatching(/GuardedTopic\.left failed[^]*TypeError: broken/)]);
  });
});

describe('a topic without such a hook', () => {
  it('has nothing to wait for', async () => {
    expect((await boot()).presenceChanged('weather', JOINED)).toBeUndefined();
  });
});
