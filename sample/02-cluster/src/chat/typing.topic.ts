import {
  CurrentConnection,
  OnMessage,
  OnSubscribe,
  type RealtimeConnection,
  RealtimeService,
  TopicGateway,
  TopicName,
} from 'nestjs-realtime';
import { personOf } from './person.js';

/** Who is typing in the room. Nobody wants to know it later, so it has a topic of its own, which keeps nothing. */
@TopicGateway('typing:lobby')
export class TypingTopic {
  constructor(private readonly realtime: RealtimeService) {}

  @OnSubscribe()
  join(): boolean {
    return true;
  }

  @OnMessage('type')
  async type(@TopicName() topic: string, @CurrentConnection() { userId }: RealtimeConnection): Promise<void> {
    await this.realtime.publish(topic, { type: 'chat.typing', payload: personOf(userId) }, { report: false });
  }
}
