import { MessageBody, OnMessage, TopicGateway, type RealtimeOptions } from 'nestjs-realtime';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { heldBytes } from '../../helpers/heap.js';
import type { RawGuest } from '../../helpers/raw-guest.js';
import { commandFrame } from '../../helpers/raw-frames.js';
import { NO_HARM, Scene } from '../../helpers/scene.js';

let handled: number[];
let open: () => void;
let gate: Promise<void>;

@TopicGateway('desk')
class DeskTopic {
  @OnMessage('wait', { requireSubscription: false })
  async wait(@MessageBody('n') n: number) {
    await gate;
    handled.push(n);
  }
}

beforeEach(() => {
  handled = [];
  gate = new Promise((resolve) => (open = resolve));
});

const KB = 1_024;
const MB = 1_024 * KB;
const COMMANDS = 20_000;

async function stage(options: RealtimeOptions = {}): Promise<Scene> {
  const limits = { commandBurst: Infinity, commandsPerSecond: Infinity, ...options.limits };
  const scene = await Scene.set({ providers: [DeskTopic], options: { ...options, limits } });
  // Commands that were read are waited for when the application ends.
  onTestFinished(open);
  return scene;
}

const filling = 'x'.repeat(KB);
const FLOOD = Buffer.concat(
  Array.from({ length: COMMANDS }, (_, n) =>
    commandFrame({ action: 'message', topic: 'desk', type: 'wait', payload: { n, filling } }),
  ),
);

/** Writes 20 MB of commands to a server whose handler is still busy with the first one, as fast as it takes them. */
function flood(guest: RawGuest): void {
  guest.client.socket.write(FLOOD);
}

describe('commands that come faster than a handler works', () => {
  it('are left in the socket, once 64 of them wait', async () => {
    const scene = await stage();
    const guest = await scene.raw();
    flood(guest);
    await scene.during(() => guest.isLeftUnread());
    // The rest of the chunk that the system had delivered when the mailbox was full.
    expect(guest.serverSide.bytesRead).toBeLessThan(64 * 1.2 * KB + 192 * KB);
  });

  it('take no memory to speak of from the server', async () => {
    const scene = await stage();
    const guest = await scene.raw();
    const before = await heldBytes();
    flood(guest);
    await guest.isLeftUnread();
    expect((await heldBytes()) - before).toBeLessThan(MB);
  });

  it('are all handled in the end, in order', async () => {
    const scene = await stage();
    const guest = await scene.raw();
    flood(guest);
    await guest.isLeftUnread();
    open();
    await expect.poll(() => handled.length, { timeout: 20_000 }).toBe(COMMANDS);
    expect(handled.every((n, at) => n === at)).toBe(true);
  });

  it('leave nothing behind when their client goes', async () => {
    const scene = await stage();
    const guest = await scene.raw();
    flood(guest);
    await scene.during(() => guest.isLeftUnread());
    await guest.client.reset();
    open();
    expect(await scene.harm()).toEqual(NO_HARM);
  });

  it('twin: with mailboxSize and mailboxBytes: Infinity are all taken in', async () => {
    const scene = await stage({ limits: { mailboxSize: Infinity, mailboxBytes: Infinity } });
    const guest = await scene.raw();
    const before = await heldBytes();
    flood(guest);
    await expect.poll(() => guest.serverSide.bytesRead, { timeout: 20_000 }).toBeGreaterThan(FLOOD.length);
    expect((await heldBytes()) - before).toBeGreaterThan(COMMANDS * KB);
  });
});

describe('a client whose commands are left in the socket', () => {
  // A pause of the process shorter than the timeout makes nobody dead.
  const heartbeat = { intervalMs: 100, timeoutMs: 1_000 };

  it('is not taken for dead, although its pongs are not read', async () => {
    const scene = await stage({ heartbeat });
    const guest = await scene.raw();
    flood(guest);
    for (let beat = 0; beat < 20; beat++) await scene.good.next('realtime:ping');
    expect(await scene.app.realtime.connectionsOf(guest.userId)).toHaveLength(1);
  });

  it('twin: is taken for dead when it could be heard', async () => {
    const scene = await stage({ heartbeat });
    const guest = await scene.raw();
    expect((await scene.endOf(guest)).code).toBe(3012);
  });
});
