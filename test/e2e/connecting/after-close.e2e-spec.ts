import { user } from 'nestjs-realtime';
import { expect, it } from 'vitest';
import { startRealtimeApp } from '../../helpers/realtime-app.js';

it('after the application was closed, sends, orders and queries are refused instead of reported as done', async () => {
  const { realtime, connectAs, close } = await startRealtimeApp();
  const ann = await connectAs('ann');
  await close();
  for (const refused of [
    realtime.sendToUser('ann', { type: 'hello' }),
    realtime.publish('feed', { type: 'hello' }),
    realtime.broadcast({ type: 'hello' }, { report: false }),
    realtime.disconnect(user('ann')),
    realtime.revalidate(user('ann')),
    realtime.subscribe(ann.id, 'feed'),
    realtime.isOnline('ann'),
  ]) {
    await expect(refused).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  }
});
