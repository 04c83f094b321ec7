import { randomUUID } from 'node:crypto';
import {
  CurrentConnection,
  MessageBody,
  OnMessage,
  OnSubscribe,
  OnUnsubscribe,
  type RealtimeConnection,
  RealtimeService,
  TopicGateway,
  TopicName,
  TopicParam,
} from 'nestjs-realtime';
import { type ChatMember, membersOf } from './chat-member.js';
import { SayDto } from './say.dto.js';

/** The rooms there are, and who may enter; nobody may enter a room that is not listed. */
const ROOMS = new Map<string, (connection: RealtimeConnection) => boolean>([
  ['lobby', () => true],
  ['staff', ({ roles }) => roles.has('admin')],
]);

/** To a topic: a message in a room reaches its members. */
@TopicGateway('chat:{room}')
export class ChatTopic {
  constructor(private readonly realtime: RealtimeService) {}

  @OnSubscribe()
  join(@TopicParam('room') room: string, @CurrentConnection() me: RealtimeConnection): boolean {
    return ROOMS.get(room)?.(me) ?? false;
  }

  @OnUnsubscribe()
  async leave(@TopicName() topic: string): Promise<void> {
    await this.publishMembers(topic);
  }

  /** New members send this after subscribing: from then on they count, and the others are told. */
  @OnMessage('members')
  list(@TopicName() topic: string): Promise<{ members: ChatMember[] }> {
    return this.publishMembers(topic);
  }

  @OnMessage('say')
  async say(
    @MessageBody() { text }: SayDto,
    @TopicName() topic: string,
    @CurrentConnection() { userId }: RealtimeConnection,
  ): Promise<{ id: string }> {
    const id = randomUUID();
    await this.realtime.publish(topic, { type: 'said', payload: { id, from: userId, text } });
    return { id };
  }

  private async publishMembers(topic: string): Promise<{ members: ChatMember[] }> {
    const payload = { members: membersOf(await this.realtime.subscribersOf(topic)) };
    await this.realtime.publish(topic, { type: 'members', payload });
    return payload;
  }
}
