import fc from 'fast-check';
import { MessageBody, OnMessage, OnSubscribe, TopicGateway } from 'nestjs-realtime';
import { beforeEach, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { collectLogs } from '../../helpers/handler-harness.js';
import { startRealtimeApp, type Guest } from '../../helpers/realtime-app.js';
import { arbitraryText } from '../../helpers/arbitrary-text.js';

@TopicGateway('desk')
class DeskTopic {
  @OnSubscribe()
  join() {
    return true;
  }

  @OnMessage('echo', { requireSubscription: false })
  echo(@MessageBody() payload: unknown) {
    return payload;
  }

  @OnMessage('field', { requireSubscription: false })
  field(@MessageBody('a') a: unknown) {
    return a;
  }
}

let ann: Guest;
let logs: string[];

beforeEach(async () => {
  logs = collectLogs();
  const app = await startRealtimeApp({ providers: [DeskTopic] });
  ann = await app.connectAs('ann');
});

const actions = fc.oneof(
  fc.constantFrom('subscribe', 'unsubscribe', 'message', 'cancel', 'auth', 'ping'),
  fc.string(),
  fc.jsonValue(),
);
const names = fc.oneof(fc.constantFrom('desk', 'echo', 'field', 'token'), fc.string(), fc.jsonValue());

/** Commands, nearly commands, and things that look like them. */
const commands = fc
  .record(
    {
      action: actions,
      id: fc.oneof(fc.integer(), fc.string(), fc.jsonValue()),
      topic: names,
      type: names,
      token: names,
    },
    { requiredKeys: [] },
  )
  .chain((command) => fc.jsonValue().map((payload) => JSON.stringify({ ...command, payload })));

const frames = fc.oneof(
  commands,
  fc.jsonValue().map((value) => JSON.stringify(value)),
  arbitraryText,
  fc.uint8Array(),
);

describe('whatever a client sends', () => {
  it('leaves its socket open, and it is answered afterwards', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(frames, { minLength: 1, maxLength: 20 }), async (batch) => {
        for (const frame of batch) (ann.socket as unknown as WebSocket).send(frame);
        await expect(ann.request({ action: 'ping' })).resolves.toMatchObject({ type: 'realtime:pong' });
      }),
      { numRuns: 150 },
    );
  });

  it('is answered in the shape of a frame', async () => {
    await fc.assert(
      fc.asyncProperty(frames, async (frame) => {
        (ann.socket as unknown as WebSocket).send(frame);
        await ann.settled();
        for (const { type, timestamp } of ann.pending) {
          expect(type).toMatch(/^realtime:[a-z]+$/);
          expect(timestamp).toBe(new Date(timestamp).toISOString());
        }
        (ann.pending as unknown[]).length = 0;
      }),
      { numRuns: 200 },
    );
  });

  it('never makes the server log a failure', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(frames, { maxLength: 10 }), async (batch) => {
        for (const frame of batch) (ann.socket as unknown as WebSocket).send(frame);
        await ann.settled();
        expect(logs).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  it('comes back as it was when the handler returns it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue({ maxDepth: 5 }), async (payload) => {
        const reply = await ann.request({ action: 'message', topic: 'desk', type: 'echo', payload });
        expect(JSON.stringify(reply.payload)).toBe(JSON.stringify(payload));
      }),
      { numRuns: 200 },
    );
  });
});
