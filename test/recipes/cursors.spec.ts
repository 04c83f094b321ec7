import type { TestClient } from 'nestjs-realtime/testing';
import { expect, it } from 'vitest';
import { Stand } from './stand.js';
import { PATIENCE_MS, subscribe, visitor } from './visitor.js';

const stand = Stand.of('cursors');

async function onBoard(name: string, topic: string): Promise<TestClient> {
  const client = await visitor(stand.program, name);
  await subscribe(client, topic);
  return client;
}

const moves = (client: TestClient, topic: string, steps: number, y: number) => {
  for (let step = 1; step <= steps; step++)
    client.send({
      action: 'message',
      topic,
      type: 'move',
      payload: { x: step / steps, y },
    });
};

const lastOf = (client: TestClient, user: string) =>
  client.next(({ type, payload }) => type === 'moved' && payload.user === user && payload.x === 1, PATIENCE_MS);

it('shows each cursor where it was moved last, with fewer messages than there were moves', async () => {
  const topic = 'cursors:last';
  const [alice, carol] = [await onBoard('alice', topic), await onBoard('carol', topic)];
  const bob = await onBoard('bob', topic);
  moves(alice, topic, 100, 0);
  moves(carol, topic, 100, 1);
  expect((await lastOf(bob, 'alice')).payload).toMatchObject({ x: 1, y: 0 });
  expect((await lastOf(bob, 'carol')).payload).toMatchObject({ x: 1, y: 1 });
  expect(bob.pending.filter(({ type }) => type === 'moved').length).toBeLessThan(150);
});

it('takes two seconds of moves at 60 Hz at once, of which the limits of the module would refuse some', async () => {
  const topic = 'cursors:rate';
  const alice = await onBoard('alice', topic);
  moves(alice, topic, 120, 0);
  await lastOf(alice, 'alice');
  expect(alice.pending.filter(({ type }) => type === 'realtime:error')).toEqual([]);
});

it('refuses a position outside of the board', async () => {
  const topic = 'cursors:outside';
  const alice = await onBoard('alice', topic);
  const { payload } = await alice.request({
    action: 'message',
    topic,
    type: 'move',
    payload: { x: 2, y: 0 },
  });
  expect(payload).toMatchObject({ code: 'VALIDATION_FAILED' });
});

it('shows the cursor of one page in another, at the same place', async () => {
  const [alice, bob] = [await stand.browser.newPage(), await stand.browser.newPage()];
  await alice.goto(`${stand.program.url}/?as=alice`);
  await bob.goto(`${stand.program.url}/?as=bob`);
  const viewport = alice.viewportSize()!;
  let step = 0;
  await expect
    .poll(async () => {
      await alice.mouse.move(viewport.width / 2 + (step++ % 2), viewport.height / 2);
      return bob.locator('b').allTextContents();
    })
    .toEqual(['➤ alice']);
  const [x] = /\d+/.exec(await bob.locator('b').evaluate((cursor) => cursor.style.translate))!;
  expect(Math.abs(Number(x) - viewport.width / 2)).toBeLessThan(3);
});
