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

/** What a saying is answered with, once it was published. */
export interface Said {
  /** The place in the topic's order, counted from 1 by this node. */
  readonly place: number;
  /** The connections it was published to. */
  readonly to: readonly string[];
}

/** What the subscribers of a room get. */
export interface Saying {
  readonly place: number;
  /** Who counts: another node begins anew. */
  readonly node: number;
  readonly text: unknown;
}

/** Rooms that everybody may enter. Nothing here is done at once, so that clients can vanish in the middle of it. */
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
