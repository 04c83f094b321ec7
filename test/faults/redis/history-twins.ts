import { onTestFinished, vi } from 'vitest';
import { RedisScript } from '../../../lib/adapters/redis/connection/redis-script.js';
import { TopicFeed } from '../../../lib/core/history/topic-feed.js';
import { EnvelopeRouter } from '../../../lib/delivery/envelope-router.js';
import type { LocalDelivery } from '../../../lib/delivery/local-delivery.js';

/** Defences of history that the nodes of this process can be made to do without, until the test has finished. */
export const without = {
  /** Publications are delivered as the bus brings them. */
  gapCheck(): void {
    const route = vi.spyOn(EnvelopeRouter.prototype, 'route').mockImplementation(function (
      this: EnvelopeRouter,
      envelope,
    ) {
      return (this as unknown as { readonly delivery: LocalDelivery }).delivery.deliver(envelope);
    });
    onTestFinished(() => route.mockRestore());
  },

  /** Subscribers do not wait until the missed publications are read. */
  seam(): void {
    const behind = vi.spyOn(TopicFeed.prototype, 'behind', 'get').mockReturnValue(new Map());
    onTestFinished(() => behind.mockRestore());
  },

  /** A subscriber that asks for recovery receives new publications only. */
  recovery(): void {
    const { enter } = TopicFeed.prototype;
    const spy = vi.spyOn(TopicFeed.prototype, 'enter').mockImplementation(function (
      this: TopicFeed,
      memberId,
      { last },
    ) {
      enter.call(this, memberId, { last });
    });
    onTestFinished(() => spy.mockRestore());
  },

  /** It is not looked which run of the server it is. */
  runId(): void {
    onScripts(([, ...args]) => ['always the same', ...args]);
  },

  /** The epoch never changes, whatever the previous count. */
  epochs(): void {
    onScripts(([run, , ...args]) => [run!, 'only-one', ...args]);
  },
};

/** Changes what the scripts of histories are told. */
function onScripts(change: (args: readonly string[]) => readonly string[]): void {
  const { run } = RedisScript.prototype;
  const spy = vi.spyOn(RedisScript.prototype, 'run').mockImplementation(function (
    this: RedisScript,
    server,
    keys,
    args,
  ) {
    return run.call(this, server, keys, server && args[0] === server.runId ? change(args) : args);
  });
  onTestFinished(() => spy.mockRestore());
}
