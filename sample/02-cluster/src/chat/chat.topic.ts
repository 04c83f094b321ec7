import {
  CurrentConnection,
  MessageBody,
  OnMessage,
  OnSubscribe,
  type RealtimeConnection,
  RealtimeService,
  TopicGateway,
  TopicName,
} from 'nestjs-realtime';
import { personOf } from './person.js';
import { SayDto } from './say.dto.js';

/** The room: Redis keeps what was said in it, and knows who is there, so both outlive a node. */
@TopicGateway('chat:lobby', { history: { size: 50, ttlMs: 600_000 }, presence: true })
export class ChatTopic {
  constructor(private readonly realtime: RealtimeService) {}

  @OnSubscribe()
  join(@CurrentConnection() { userId }: RealtimeConnection): { info: { name: string } } {
    return { info: { name: personOf(userId).name } };
  }

  @OnMessage('say')
  async say(
    @MessageBody() { id, text }: SayDto,
    @TopicName() topic: string,
    @CurrentConnection() { userId }: RealtimeConnection,
  ): Promise<{ id: string }> {
    const payload = { id, ...personOf(userId), text };
    // A node that is killed may have published without having answered: said again, it is the same message.
    await this.realtime.publish(
      topic,
      { type: 'chat.said', payload },
      { idempotencyKey: `${userId}:${id}`, report: false },
    );
    return { id };
  }
}
