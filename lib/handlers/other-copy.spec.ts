import 'reflect-metadata';
import { Injectable } from '@nestjs/common';
import { describe, expect, it, vi } from 'vitest';
import { answers, bootHandlers } from '../../test/helpers/handler-harness.js';
import { packageFolderIn } from '../decorators/package-copy.js';

/** The decorators of a copy in another folder; without one, those of this copy, loaded again. */
async function decoratorsOf(folder?: string) {
  vi.resetModules();
  if (folder !== undefined) {
    vi.doMock('../decorators/package-copy.js', async (load) => {
      const own = await load<typeof import('../decorators/package-copy.js')>();
      const markCopy = (target: object) =>
        Reflect.defineMetadata(Symbol.for('nestjs-realtime:copies'), [...own.copiesOf(target), folder], target);
      return { ...own, OWN_COPY: folder, markCopy };
    });
  }
  const { TopicGateway } = await import('../decorators/topic-gateway.decorator.js');
  const { OnConnect } = await import('../decorators/on-connect.decorator.js');
  const { OnMessage } = await import('../decorators/on-message.decorator.js');
  vi.doUnmock('../decorators/package-copy.js');
  return { TopicGateway, OnConnect, OnMessage };
}

const OTHER = '/srv/shop/libs/chat/node_modules/nestjs-realtime';

describe('a class that another copy of the package decorated', () => {
  it('stops the boot when it is a topic gateway, with the folders of both', async () => {
    const { TopicGateway } = await decoratorsOf(OTHER);
    @TopicGateway('chat:{room}')
    class ChatTopic {}
    await expect(bootHandlers({ providers: [ChatTopic] })).rejects.toThrow(
      /^ChatTopic is decorated by another copy[^]*decorators: \/srv\/shop\/libs\/chat\/node_modules\/nestjs-realtime\n {2}RealtimeModule: \/\S+\n/,
    );
  });

  it('stops the boot when it has a hook, which would let everybody in', async () => {
    const { OnConnect } = await decoratorsOf(OTHER);
    @Injectable()
    class Door {
      @OnConnect()
      refuse() {
        throw new Error('nobody');
      }
    }
    await expect(bootHandlers({ providers: [Door] })).rejects.toThrow(/^Door\.refuse is decorated by another copy/);
  });

  it('stops the boot when a class of this copy extends it', async () => {
    const other = await decoratorsOf(OTHER);
    const { TopicGateway } = await decoratorsOf();
    class Base {
      @other.OnMessage('say')
      say() {}
    }
    @TopicGateway('chat:{room}')
    class ChatTopic extends Base {}
    await expect(bootHandlers({ providers: [ChatTopic] })).rejects.toThrow(/^ChatTopic\.say is decorated by another/);
  });
});

describe('the same copy, loaded twice,', () => {
  it('works with what was decorated before', async () => {
    const { TopicGateway, OnMessage } = await decoratorsOf();
    @TopicGateway('chat:{room}')
    class ChatTopic {
      @OnMessage('say')
      say() {
        return 'said';
      }
    }
    const handlers = await bootHandlers({ providers: [ChatTopic] });
    expect(await answers(handlers, 'say')).toEqual([{ value: 'said' }]);
  });
});

describe('a permit that another copy of the package made', () => {
  it('allows as well', async () => {
    const own = await import('../decorators/subscription-permit.js');
    vi.resetModules();
    const other = await import('../decorators/subscription-permit.js');
    expect([other.allow === own.allow, own.isPermit(other.allow())]).toEqual([false, true]);
  });
});

describe('the folder of a copy', () => {
  it.each([
    [
      'a file URL',
      'Error\n    at file:///a%20b/node_modules/nestjs-realtime/dist/decorators/package-copy.js:20:40\n',
      '/a b/node_modules/nestjs-realtime',
    ],
    [
      'a path',
      'Error\n    at Object.<anonymous> (/a/nestjs-realtime/dist/decorators/package-copy.js:20:40)\n    at x',
      '/a/nestjs-realtime',
    ],
    ['a bundle', 'Error\n    at Object.<anonymous> (/a/dist/main.cjs:2000:40)', '/a/dist/main.cjs'],
    ['no stack', undefined, 'an unknown folder'],
  ])('is found in %s', (_where, stack, folder) => {
    expect(packageFolderIn(stack)).toBe(folder);
  });
});
