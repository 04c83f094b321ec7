import { connection, type RealtimeEvent } from 'nestjs-realtime';
import { filter, firstValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { LocalDelivery } from '../../../lib/delivery/local-delivery.js';
import { collectLogs } from '../../helpers/handler-harness.js';
import { receivedBy, typesReceivedBy } from '../../helpers/realtime-app.js';
import { Stage, type StageGuest } from '../../helpers/stage.js';

const NEWS = { type: 'news', payload: 1 };
const isGone = (event: RealtimeEvent) => event.type === 'disconnected';

describe('a socket that was destroyed without a word', () => {
  it('does not keep the others from being served', async () => {
    const stage = await Stage.set();
    const [ann, bob, cleo] = [
      await stage.connectAs('ann'),
      await stage.connectAs('bob'),
      await stage.connectAs('cleo'),
    ];
    bob.socket.terminate();
    await stage.realtime.broadcast(NEWS);
    expect([await typesReceivedBy(ann), await typesReceivedBy(cleo)]).toEqual([['news'], ['news']]);
  });

  it('leaves nothing behind', async () => {
    const stage = await Stage.set();
    const ann = await stage.connectAs('ann', { roles: ['admin'] });
    await stage.subscribe(ann, 'feed');
    const gone = firstValueFrom(stage.events$.pipe(filter(isGone)));
    ann.socket.terminate();
    expect(await gone).toMatchObject({ code: 1006 });
    await expect.poll(() => stage.realtime.counts()).toEqual({ connections: 0, users: 0, topics: 0, subscriptions: 0 });
  });
});

/** Makes this node's end of a connection throw at every write. */
function breakTarget({ node, id }: StageGuest): void {
  node.app.get(LocalDelivery).attach(id, {
    get socket(): never {
      throw new Error('broken for the test');
    },
    disconnect() {},
    subscribe: () => false,
    unsubscribe: () => false,
    missed() {},
    leftOut() {},
    changeRights() {},
    updateMetadata() {},
    revalidate() {},
  });
}

describe('a connection whose write throws', () => {
  it('does not keep the others from being served', async () => {
    collectLogs();
    const stage = await Stage.set();
    const [ann, bob, cleo] = [
      await stage.connectAs('ann'),
      await stage.connectAs('bob'),
      await stage.connectAs('cleo'),
    ];
    breakTarget(bob);
    await stage.realtime.broadcast(NEWS);
    expect([await typesReceivedBy(ann), await typesReceivedBy(cleo)]).toEqual([['news'], ['news']]);
  });

  it('is no recipient', async () => {
    collectLogs();
    const stage = await Stage.set();
    const [, bob] = [await stage.connectAs('ann'), await stage.connectAs('bob')];
    breakTarget(bob);
    expect(await stage.realtime.broadcast(NEWS)).toMatchObject({ recipients: 1, complete: true });
  });

  it('is logged', async () => {
    const logs = collectLogs();
    const stage = await Stage.set();
    breakTarget(await stage.connectAs('bob'));
    await stage.realtime.broadcast(NEWS);
    expect(logs).toEqual([expect.stringContaining('broken for the test')]);
  });
});

const CHUNK = 'x'.repeat(64 * 1024);

/** Stops reading and has the server send until the connection ends; resolves with how it ended. */
async function overwhelm({ realtime, events$ }: Stage, id: string): Promise<RealtimeEvent> {
  let end: RealtimeEvent | undefined;
  const subscription = events$.pipe(filter(isGone)).subscribe((event) => (end = event));
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
    const stage = await Stage.set({ options });
    const ann = await stage.connectAs('ann');
    ann.socket.pause();
    expect(await overwhelm(stage, ann.id)).toMatchObject({ code: 3008, reason: 'slow consumer, reads too slowly' });
  });

  it('is told so, if it ever reads on', async () => {
    const stage = await Stage.set({ options });
    const ann = await stage.connectAs('ann');
    ann.socket.pause();
    await overwhelm(stage, ann.id);
    ann.socket.resume();
    expect(await ann.nextClose()).toEqual({ code: 3008, reason: 'slow consumer, reads too slowly' });
  });

  it('is no recipient any more', async () => {
    const stage = await Stage.set({ options });
    const ann = await stage.connectAs('ann');
    ann.socket.pause();
    await overwhelm(stage, ann.id);
    expect(await stage.realtime.sendToConnection(ann.id, NEWS)).toMatchObject({ recipients: 0 });
    await expect.poll(() => stage.realtime.counts()).toMatchObject({ connections: 0 });
  });

  it('does not disturb the others', async () => {
    const stage = await Stage.set({ options });
    const [ann, bob] = [await stage.connectAs('ann'), await stage.connectAs('bob')];
    ann.socket.pause();
    let sent = 0;
    while (await stage.realtime.connection(ann.id)) {
      await stage.realtime.broadcast({ type: 'flood', payload: CHUNK });
      sent += 1;
      // A client that reads keeps up.
      await bob.settled();
    }
    expect(await receivedBy(bob)).toHaveLength(sent);
  });

  it('keeps its connection while its queue has room', async () => {
    const stage = await Stage.set({ options: { limits: { sendQueueBytes: Infinity } } });
    const ann = await stage.connectAs('ann');
    ann.socket.pause();
    for (let sent = 0; sent < 200; sent++) await stage.realtime.sendToUser('ann', { type: 'flood', payload: CHUNK });
    ann.socket.resume();
    expect(await receivedBy(ann)).toHaveLength(200);
  });

  it('may still be disconnected', async () => {
    const stage = await Stage.set();
    const ann = await stage.connectAs('ann');
    ann.socket.pause();
    await stage.realtime.disconnect(connection(ann.id));
    expect(await stage.realtime.connection(ann.id)).toBeUndefined();
  });
});

describe('a message that is bigger than the queue', () => {
  it('arrives at a client that reads: it need not wait', async () => {
    const stage = await Stage.set({ options: { limits: { sendQueueBytes: 1_024 } } });
    const ann = await stage.connectAs('ann');
    await stage.realtime.sendToUser('ann', { type: 'flood', payload: CHUNK });
    expect((await ann.next('flood')).payload).toBe(CHUNK);
  });
});
