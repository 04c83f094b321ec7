import { MessageBody, OnSubscribe, TopicGateway, type RealtimeLimits } from 'nestjs-realtime';
import { describe, expect, it } from 'vitest';
import { collectLogs } from '../../helpers/handler-harness.js';
import { startRealtimeApp } from '../../helpers/realtime-app.js';

/** Shows of each user what the client says. */
@TopicGateway('room:{id}', { presence: true })
class RoomTopic {
  @OnSubscribe()
  enter(@MessageBody() info: unknown) {
    return { info };
  }
}

const LARGE = 'x'.repeat(60_000);
/** As many as one answer can list. */
const USERS = 8;

/** Users who enter a room that somebody watches. @returns how many characters the watcher is told, and the answers of those who entered */
async function crowd(limits: RealtimeLimits) {
  const app = await startRealtimeApp({ providers: [RoomTopic], options: { limits } });
  const watcher = await app.connectAs('watcher');
  await watcher.request({ action: 'subscribe', topic: 'room:1', payload: 'watching', presence: true });
  await watcher.next('realtime:joined');
  const codes = [];
  for (let n = 0; n < USERS; n++) {
    const guest = await app.connectAs(`guest-${n}`);
    const { payload } = await guest.request({ action: 'subscribe', topic: 'room:1', payload: LARGE });
    codes.push(payload.code);
  }
  const { payload } = await watcher.request({ action: 'presence', topic: 'room:1' });
  return { codes, told: JSON.stringify(payload).length, users: payload.userCount };
}

describe('users who have 60 KB shown of themselves', () => {
  it('do not enter, and the log says why', async () => {
    const logs = collectLogs();
    const { codes, told, users } = await crowd({});
    expect([codes, users]).toEqual([Array.from({ length: USERS }, () => 'INTERNAL'), 1]);
    expect(told).toBeLessThan(1_000);
    expect(logs[0]).toContain('RoomTopic.enter returned a value that is too large');
    expect(logs[0]).toContain('info has 60002 bytes as JSON, and limits.maxPresenceInfoBytes is 1024');
  });

  it('twin: without the limit, one answer has the infos of all of them', async () => {
    const { told, users } = await crowd({ maxPresenceInfoBytes: Infinity });
    expect([users, told > USERS * LARGE.length]).toEqual([USERS + 1, true]);
  });
});
