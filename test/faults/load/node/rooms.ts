import { setTimeout as delay } from 'node:timers/promises';
import {
  CurrentConnection,
  MessageBody,
  OnMessage,
  OnSubscribe,
  RealtimeService,
  TopicGateway,
  TopicName,
  type RealtimeConnection,
} from 'nestjs-realtime';

/** The answer to a saying, after its publication. */
export interface Said {
  /** The place in the topic's order, counted from 1 by this node. */
  readonly place: number;
  /** The connections it was published to. */
  readonly to: readonly string[];
}

/** The message that the subscribers of a room receive. */
export interface Saying {
  readonly place: number;
  /** The node that counts; every other node starts its own count. */
  readonly node: number;
  readonly text: unknown;
}

/** Public rooms. Every handler takes a while, so that clients can vanish in the middle of it. */
@TopicGateway('room:{id}')
export class Rooms {
  readonly #places = new Map<string, number>();

  constructor(private readonly realtime: RealtimeService) {}

  @OnSubscribe()
  async enter(): Promise<boolean> {
    await delay(1);
    return true;
  }

  /** Publishes, then answers: what was answered has been published. */
  @OnMessage('say')
  async say(@MessageBody() text: unknown, @TopicName() topic: string): Promise<Said> {
    await delay(1);
    const place = (this.#places.get(topic) ?? 0) + 1;
    this.#places.set(topic, place);
    // The service has handed a message over before it first awaits, and these are the subscribers of that moment.
    const subscribers = this.realtime.subscribersOf(topic);
    const payload: Saying = { place, node: process.pid, text };
    await this.realtime.publish(topic, { type: 'said', payload });
    return { place, to: (await subscribers).map(({ id }) => id) };
  }

  /** Says that it has begun, takes its time, and answers. */
  @OnMessage('work')
  async work(
    @MessageBody() { name, ms }: { name: string; ms: number },
    @CurrentConnection() { id }: RealtimeConnection,
  ): Promise<string> {
    await this.realtime.sendToConnection(id, { type: 'begun', payload: name });
    await delay(ms);
    return name;
  }
}
