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

/** Users who are typing in the room. The information is short-lived, so it has a topic without history. */
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
