import { randomUUID } from 'node:crypto';
import type { TestClient } from 'nestjs-realtime/testing';
import { expect, it } from 'vitest';
import { connected, sdkFor } from '../helpers/sdk.js';
import { Stand } from './stand.js';
import { login, PATIENCE_MS, subscribe, visitor } from './visitor.js';

const stand = Stand.of('chat');

const say = (client: TestClient, topic: string, text: string, id: string = randomUUID()) =>
  client.request({ action: 'message', topic, type: 'say', payload: { id, text } }, PATIENCE_MS);

it('shows the last 50 messages in a page, and follows with what is said', async () => {
  const topic = 'chat:lobby';
  const bob = await visitor(stand.program, 'bob');
  await subscribe(bob, topic);
  for (let n = 1; n <= 55; n++) await say(bob, topic, `message ${n}`);

  const page = await stand.browser.newPage();
  await page.goto(`${stand.program.url}/?as=alice`);
  const shown = () => page.locator('li').allTextContents();
  const last50 = Array.from({ length: 50 }, (_, at) => `bob: message ${at + 6}`);
  await expect.poll(shown).toEqual(last50);

  await page.fill('input', 'hello');
  await page.press('input', 'Enter');
  await expect.poll(shown).toEqual([...last50, 'alice: hello']);
});

it('gives a client that was away what it has missed, once and in order', async () => {
  const topic = 'chat:away';
  const bob = await visitor(stand.program, 'bob');
  await subscribe(bob, topic);
  await say(bob, topic, 'before');
  const alice = await connected(sdkFor(stand.program, { token: await login(stand.program, 'alice') }));
  const heard: string[] = [];
  const room = alice.newSubscription(topic);
  const isRecovered: boolean[] = [];
  room.on('subscribed', ({ recovered }) => isRecovered.push(recovered));
  room.on('publication', ({ data }) => heard.push(data.payload.text));
  room.subscribe();
  await expect.poll(() => heard).toEqual(['before']);

  alice.disconnect();
  await say(bob, topic, 'one');
  await say(bob, topic, 'two');
  await connected(alice);
  await expect.poll(() => heard).toEqual(['before', 'one', 'two']);
  expect(isRecovered).toEqual([false, true]);
});

it('publishes a message that is sent again under its id once', async () => {
  const topic = 'chat:again';
  const bob = await visitor(stand.program, 'bob');
  await subscribe(bob, topic);
  const id = randomUUID();
  for (const text of ['hello', 'hello']) await say(bob, topic, text, id);
  await bob.settled();
  expect(bob.pending.filter(({ type }) => type === 'said')).toHaveLength(1);
});

it('refuses a text that is too long', async () => {
  const bob = await visitor(stand.program, 'bob');
  await subscribe(bob, 'chat:lobby');
  const { payload } = await say(bob, 'chat:lobby', 'x'.repeat(281));
  expect(payload).toMatchObject({ code: 'VALIDATION_FAILED' });
});
