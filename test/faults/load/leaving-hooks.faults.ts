import { Injectable, Module, type OnModuleDestroy } from '@nestjs/common';
import { OnDisconnect } from 'nestjs-realtime';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startRealtimeApp, type RealtimeApp } from '../../helpers/realtime-app.js';

/** Something that hooks write to, and that ends with the application. */
@Injectable()
class Store implements OnModuleDestroy {
  #isOpen = true;
  readonly written: string[] = [];
  refused = 0;

  write(line: string): void {
    if (this.#isOpen) this.written.push(line);
    else this.refused += 1;
  }

  onModuleDestroy(): void {
    this.#isOpen = false;
  }
}

@Injectable()
class Attendance {
  constructor(private readonly store: Store) {}

  @OnDisconnect()
  async left({ userId }: { userId: string }): Promise<void> {
    await nextTurn();
    this.store.write(userId);
  }
}

@Module({ providers: [Store], exports: [Store] })
class StoreModule {}

const users = Array.from({ length: 20 }, (_, n) => `user-${n}`).sort();

/** An application with a full house, whose providers depend on each other. */
async function fullHouse(): Promise<RealtimeApp> {
  const app = await startRealtimeApp({ imports: [StoreModule], providers: [Attendance] });
  for (const user of users) await app.connectAs(user);
  return app;
}

describe('Hooks for leaving connections', () => {
  it('find all other providers alive when realtime.drain() was awaited before app.close()', async () => {
    const { app, realtime } = await fullHouse();
    await realtime.drain();
    await app.close();
    expect(app.get(Store).written.sort()).toEqual(users);
  });

  it('find those gone that Nest destroys earlier when it was not', async () => {
    const { app } = await fullHouse();
    await app.close();
    expect(app.get(Store).refused).toBe(users.length);
  });

  it('that never end are waited for no longer than drain.timeoutMs', async () => {
    @Injectable()
    class Stuck {
      @OnDisconnect() left(): Promise<void> {
        return new Promise(() => {});
      }
    }
    const app = await startRealtimeApp({ providers: [Stuck], options: { drain: { timeoutMs: 200 } } });
    await app.connectAs('ann');
    const start = performance.now();
    await app.app.close();
    expect(performance.now() - start).toBeLessThan(8_000);
  });
});
