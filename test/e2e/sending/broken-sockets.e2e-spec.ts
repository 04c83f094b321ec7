import { connection, type RealtimeEvent } from 'nestjs-realtime';
import { filter, firstValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { LocalDelivery } from '../../../lib/delivery/local-delivery.js';
import { collectLogs } from '../../helpers/handler-harness.js';
import { receivedBy, startRealtimeApp, typesReceivedBy, type RealtimeApp } from '../../helpers/realtime-app.js';

const NEWS = { type: 'news', payload: 1 };
const isGone = (event: RealtimeEvent) => event.type === 'disconnected';

describe('a socket that was destroyed without a word', () => {
  it('does not keep the others from being served', async () => {
    const { realtime, connectAs } = await startRealtimeApp();
    const [ann, bob, cleo] = [await connectAs('ann'), await connectAs('bob'), await connectAs('cleo')];
    bob.socket.terminate();
    await realtime.broadcast(NEWS);
    expect([await typesReceivedBy(ann), await typesReceivedBy(cleo)]).toEqual([['news'], ['news']]);
  });

  it('leaves nothing behind', async () => {
    const { realtime, connectAs } = await startRealtimeApp();
    const ann = await connectAs('ann', { roles: ['admin'] });
    await realtime.subscribe(ann.id, 'feed');
    const gone = firstValueFrom(realtime.events$.pipe(filter(isGone)));
    ann.socket.terminate();
    expect([await gone, await realtime.counts()]).toMatchObject([
      { code: 1006 },
      { connections: 0, users: 0, topics: 0, subscriptions: 0 },
    ]);
  });
});

/** Makes this node's end of a connection throw at every write. */
function breakTarget({ app }: RealtimeApp, id: string): void {
  app.get(LocalDelivery).attach(id, {
    get socket(): never {
      throw new Error('broken for the test');
    },
    disconnect() {},
    subscribe: () => false,
    unsubscribe: () => false,
    changeRights() {},
    revalidate() {},
  });
}

describe('a connection whose write throws', () => {
  it('does not keep the others from being served', async () => {
    collectLogs();
    const app = await startRealtimeApp();
    const [ann, bob, cleo] = [await app.connectAs('ann'), await app.connectAs('bob'), await app.connectAs('cleo')];
    breakTarget(app, bob.id);
    await app.realtime.broadcast(NEWS);
    expect([await typesReceivedBy(ann), await typesReceivedBy(cleo)]).toEqual([['news'], ['news']]);
  });

  it('is no recipient', async () => {
    collectLogs();
    const app = await startRealtimeApp();
    const [, bob] = [await app.connectAs('ann'), await app.connectAs('bob')];
    breakTarget(app, bob.id);
    expect(await app.realtime.broadcast(NEWS)).toMatchObject({ recipients: 1, complete: true });
  });

  it('is logged', async () => {
    const logs = collectLogs();
    const app = await startRealtimeApp();
    breakTarget(app, (await app.connectAs('bob')).id);
    await app.realtime.broadcast(NEWS);
    expect(logs).toEqual([expect.stringContaining('broken for the test')]);
  });
});

const CHUNK = 'x'.repeat(64 * 1024);

/** Stops reading and has the server send until the connection ends; resolves with how it ended. */
async function overwhelm({ realtime }: RealtimeApp, id: string): Promise<RealtimeEvent> {
  let end: RealtimeEvent | undefined;
  const subscription = realtime.events$.pipe(filter(isGone)).subscribe((event) => (end = event));
  // The kernel's buffers take some megabytes before the server's own queue begins to fill.
  // oxlint-disable-next-line no-unmodified-loop-condition -- the event sets it
  for (let sent = 0; end === undefined && sent < 1_000; sent++) {
    await realtime.sendToConnection(id, { type: 'flood', payload: CHUNK });
    await new Promise(setImmediate);
  }
  subscription.unsubscribe();
  return end!;
}

describe('a client that stops reading', () => {
  const options = { limits: { sendQueueBytes: 256 * 1024 } };

  it('is cut off when its queue is full', async () => {
    const app = await startRealtimeApp({ options });
    const ann = await app.connectAs('ann');
    ann.socket.pause();
    expect(await overwhelm(app, ann.id)).toMatchObject({ code: 3008, reason: 'reads too slowly' });
  });

  it('is told so, if it ever reads on', async () => {
    const app = await startRealtimeApp({ options });
    const ann = await app.connectAs('ann');
    ann.socket.pause();
    await overwhelm(app, ann.id);
    ann.socket.resume();
    expect(await ann.nextClose()).toEqual({ code: 3008, reason: 'reads too slowly' });
  });

  it('is no recipient any more', async () => {
    const app = await startRealtimeApp({ options });
    const ann = await app.connectAs('ann');
    ann.socket.pause();
    await overwhelm(app, ann.id);
    expect([await app.realtime.sendToConnection(ann.id, NEWS), await app.realtime.counts()]).toMatchObject([
      { recipients: 0 },
      { connections: 0 },
    ]);
  });

  it('does not disturb the others', async () => {
    const app = await startRealtimeApp({ options });
    const [ann, bob] = [await app.connectAs('ann'), await app.connectAs('bob')];
    ann.socket.pause();
    let sent = 0;
    while (await app.realtime.connection(ann.id)) {
      await app.realtime.broadcast({ type: 'flood', payload: CHUNK });
      sent += 1;
      // Whoever reads keeps up.
      await bob.settled();
    }
    expect(await receivedBy(bob)).toHaveLength(sent);
  });

  it('keeps its connection while its queue has room', async () => {
    const app = await startRealtimeApp({ options: { limits: { sendQueueBytes: Infinity } } });
    const ann = await app.connectAs('ann');
    ann.socket.pause();
    for (let sent = 0; sent < 200; sent++) await app.realtime.sendToUser('ann', { type: 'flood', payload: CHUNK });
    ann.socket.resume();
    expect(await receivedBy(ann)).toHaveLength(200);
  });

  it('may still be disconnected', async () => {
    const app = await startRealtimeApp();
    const ann = await app.connectAs('ann');
    ann.socket.pause();
    await app.realtime.disconnect(connection(ann.id));
    expect(await app.realtime.connection(ann.id)).toBeUndefined();
  });
});

describe('a message that is bigger than the queue', () => {
  it('arrives at a client that reads: it need not wait', async () => {
    const app = await startRealtimeApp({ options: { limits: { sendQueueBytes: 1_024 } } });
    const ann = await app.connectAs('ann');
    await app.realtime.sendToUser('ann', { type: 'flood', payload: CHUNK });
    expect((await ann.next('flood')).payload).toBe(CHUNK);
  });
});
