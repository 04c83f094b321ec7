import { TopicGateway } from 'nestjs-realtime';
import { describe, expect, it } from 'vitest';
import { SERVICE_CALLS } from '../../helpers/service-calls.js';
import { Stage } from '../../helpers/stage.js';

@TopicGateway('room:{id}', { presence: true, history: { size: 3, ttlMs: 1_000 } })
class Rooms {}

describe('a node that has been closed', () => {
  it('rejects every call, and claims no success', async () => {
    const stage = await Stage.set({ providers: [Rooms] });
    const { realtime } = stage;
    await stage.nodes.at(-1)!.app.close();
    const outcomes = SERVICE_CALLS.map(async ([method, call]) => {
      const outcome = await call(realtime).then(
        () => 'success',
        (error: { code?: string }) => error.code,
      );
      return [method, outcome] as const;
    });
    expect(await Promise.all(outcomes)).toEqual(SERVICE_CALLS.map(([method]) => [method, 'UNAVAILABLE']));
  });
});
