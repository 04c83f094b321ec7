import {
  CurrentConnection,
  OnConnect,
  OnDisconnect,
  OnMessage,
  OnSubscribe,
  OnUnsubscribe,
  TopicGateway,
  type RealtimeConnection,
} from 'nestjs-realtime';
import { MessageBus } from 'nestjs-realtime/ports';
import { interval, Observable } from 'rxjs';
import { beforeEach, describe, expect, it } from 'vitest';
import type { RawGuest } from '../../helpers/raw-guest.js';
import { commandFrame } from '../../helpers/raw-frames.js';
import { RecordingBus } from '../../helpers/recording-bus.js';
import { NO_HARM, Scene } from '../../helpers/scene.js';

/** The handlers and hooks of the bad clients that have begun and not ended. */
let entered: Map<string, number>;
/** The part of the application that waits until the test releases it. */
let gates: Map<string, Gate>;

class Gate {
  open!: () => void;
  reach!: () => void;
  readonly opened = new Promise<void>((resolve) => (this.open = resolve));
  readonly reached = new Promise<void>((resolve) => (this.reach = resolve));
}

function hold(part: string): Gate {
  const gate = new Gate();
  gates.set(part, gate);
  return gate;
}

/** Waits where a test has put a gate; the good clients pass. */
async function pass(part: string, { userId }: RealtimeConnection): Promise<void> {
  if (!userId.startsWith('bad')) return;
  gates.get(part)?.reach();
  await gates.get(part)?.opened;
}

function count(what: string, by: 1 | -1, { userId }: RealtimeConnection): void {
  if (userId.startsWith('bad')) entered.set(what, (entered.get(what) ?? 0) + by);
}

@TopicGateway('room:{id}')
class RoomTopic {
  @OnConnect()
  async connected(@CurrentConnection() me: RealtimeConnection) {
    count('connected', 1, me);
    await pass('connect hook', me);
  }

  @OnDisconnect()
  async disconnected(@CurrentConnection() me: RealtimeConnection) {
    await pass('disconnect hook', me);
    count('connected', -1, me);
  }

  @OnSubscribe()
  async join(@CurrentConnection() me: RealtimeConnection) {
    await pass('subscribe handler', me);
    count('subscribed', 1, me);
    return true;
  }

  @OnUnsubscribe()
  left(@CurrentConnection() me: RealtimeConnection) {
    count('subscribed', -1, me);
  }

  @OnMessage('work')
  async work(@CurrentConnection() me: RealtimeConnection) {
    count('working', 1, me);
    await pass('message handler', me);
    count('working', -1, me);
    return 'done';
  }

  @OnMessage('watch')
  watch(@CurrentConnection() me: RealtimeConnection) {
    return new Observable<number>((observer) => {
      count('watching', 1, me);
      const ticks = interval(5).subscribe(observer);
      return () => {
        ticks.unsubscribe();
        count('watching', -1, me);
      };
    });
  }
}

/** A bus that takes its time to join what a test has put a gate before. */
class SlowBus extends RecordingBus {
  override join(subject: string): void | Promise<void> {
    void super.join(subject);
    const gate = gates.get(`bus ${subject}`);
    gate?.reach();
    return gate?.opened;
  }
}

let scene: Scene;

beforeEach(async () => {
  entered = new Map();
  gates = new Map();
  scene = await Scene.set({ providers: [RoomTopic], ports: [{ provide: MessageBus, useClass: SlowBus }] });
});

const SUBSCRIBE = { action: 'subscribe', id: 'in', topic: 'room:1' };
const message = (type: string) => ({ action: 'message', id: type, topic: 'room:1', type });

async function inRoom(): Promise<RawGuest> {
  const guest = await scene.raw();
  await guest.write(commandFrame(SUBSCRIBE));
  await guest.answer('in');
  return guest;
}

/** A client in the middle of something, and what has begun there. */
interface Phase {
  readonly what: string;
  /** Brings a client there. @returns what lets the application go on, when it waits */
  readonly enter: () => Promise<{ guest: RawGuest; gate?: Gate }>;
  readonly begun: object;
}

const PHASES: Phase[] = [
  {
    what: 'its connect hook runs',
    begun: { connected: 1 },
    async enter() {
      const gate = hold('connect hook');
      const guest = await scene.raw();
      await gate.reached;
      return { guest, gate };
    },
  },
  {
    what: 'its commands wait for the connect hook',
    begun: { connected: 1 },
    async enter() {
      const gate = hold('connect hook');
      const guest = await scene.raw();
      for (const command of [SUBSCRIBE, message('work'), message('watch')]) await guest.write(commandFrame(command));
      await gate.reached;
      return { guest, gate };
    },
  },
  {
    what: 'its subscribe handler runs',
    begun: { connected: 1 },
    async enter() {
      const gate = hold('subscribe handler');
      const guest = await scene.raw();
      await guest.write(commandFrame(SUBSCRIBE));
      await gate.reached;
      return { guest, gate };
    },
  },
  {
    what: 'the node joins its topic',
    begun: { connected: 1, subscribed: 1 },
    async enter() {
      const gate = hold('bus topic:room:1');
      const guest = await scene.raw();
      await guest.write(commandFrame(SUBSCRIBE));
      await gate.reached;
      return { guest, gate };
    },
  },
  {
    what: 'its message handler runs',
    begun: { connected: 1, subscribed: 1, working: 1 },
    async enter() {
      const gate = hold('message handler');
      const guest = await inRoom();
      await guest.write(commandFrame(message('work')));
      await gate.reached;
      return { guest, gate };
    },
  },
  {
    what: '50 commands wait behind a message handler',
    begun: { connected: 1, subscribed: 1, working: 1 },
    async enter() {
      const gate = hold('message handler');
      const guest = await inRoom();
      for (let n = 0; n < 50; n++) await guest.write(commandFrame({ ...message('work'), id: n }));
      await gate.reached;
      return { guest, gate };
    },
  },
  {
    what: 'its stream runs',
    begun: { connected: 1, subscribed: 1, watching: 1 },
    async enter() {
      const guest = await inRoom();
      await guest.write(commandFrame(message('watch')));
      await guest.answer('watch');
      return { guest };
    },
  },
  {
    what: 'megabytes wait for it',
    begun: { connected: 1, subscribed: 1 },
    async enter() {
      const guest = await inRoom();
      guest.pause();
      while (guest.serverSide.writableLength < 200_000) {
        await scene.app.realtime.publish('room:1', { type: 'news', payload: 'x'.repeat(65_536) });
        await new Promise(setImmediate);
      }
      return { guest };
    },
  },
  {
    what: 'it is being closed by the server',
    begun: { connected: 1 },
    async enter() {
      const gate = hold('disconnect hook');
      const guest = await inRoom();
      const { connections } = await scene.app.realtime.counts();
      await scene.app.realtime.disconnect({ kind: 'user', id: guest.userId });
      await gate.reached;
      expect(connections).toBe(2);
      return { guest, gate };
    },
  },
];

const begun = () => Object.fromEntries([...entered].filter(([, times]) => times !== 0));

describe('a client that resets its socket while', () => {
  it.each(PHASES)('$what leaves nothing behind', async ({ enter }) => {
    const { guest, gate } = await enter();
    await scene.during(() => guest.client.reset());
    gate?.open();
    expect(await scene.harm()).toEqual(NO_HARM);
    await expect.poll(begun).toEqual({});
  });

  it.each(PHASES.filter(({ what }) => !what.includes('closed by the server')))(
    '$what is not reachable any more, although the application has not gone on yet',
    async ({ enter }) => {
      const { guest, gate } = await enter();
      await guest.client.reset();
      await expect.poll(() => scene.app.realtime.counts()).toMatchObject({ connections: 1, subscriptions: 0 });
      gate?.open();
    },
  );
});

describe('twin: a client that stays while', () => {
  it.each(PHASES)('$what has begun what the other must not leave behind', async ({ enter, begun: expected }) => {
    const { gate } = await enter();
    expect(begun()).toEqual(expected);
    gate?.open();
  });
});

describe('200 clients that reset their sockets at once', () => {
  it('leave nothing behind', async () => {
    const guests: RawGuest[] = [];
    for (let n = 0; n < 200; n++) guests.push(await inRoom());
    await scene.during(() => Promise.all(guests.map((guest) => guest.client.reset())));
    expect(await scene.harm()).toEqual(NO_HARM);
    await expect.poll(begun).toEqual({});
  });
});
