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
import { CursorDto } from './cursor.dto.js';
import { personOf } from './person.js';

/**
 * Cursors over the room, up to 60 positions a second of each person. A reader on a slow line gets the last position of everybody
 * as often as its line can take, instead of a growing queue of old ones.
 */
@TopicGateway('cursor:lobby', {
  limits: { commandsPerSecond: 60, maxMessageBytes: 256 },
  delivery: { slow: 'latest', maxRateHz: 60, key: ({ payload }) => (payload as { readonly userId: string }).userId },
})
export class CursorTopic {
  constructor(private readonly realtime: RealtimeService) {}

  @OnSubscribe()
  join(): boolean {
    return true;
  }

  @OnMessage('move')
  async move(
    @MessageBody() { x, y }: CursorDto,
    @TopicName() topic: string,
    @CurrentConnection() { userId }: RealtimeConnection,
  ): Promise<void> {
    await this.realtime.publish(
      topic,
      { type: 'cursor.moved', payload: { ...personOf(userId), x, y } },
      { report: false },
    );
  }
}
