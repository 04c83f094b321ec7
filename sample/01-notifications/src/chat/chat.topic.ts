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
import { type ChatMember, ChatMembers } from './chat-members.js';
import { SayDto } from './say.dto.js';

/** The rooms there are, and who may enter; a room that is not listed is closed to everybody. */
const ROOMS = new Map<string, (connection: RealtimeConnection) => boolean>([
  ['lobby', () => true],
  ['staff', ({ roles }) => roles.has('admin')],
]);

/** To a topic: what is said in a room reaches those who are in it. */
@TopicGateway('chat:{room}')
export class ChatTopic {
  constructor(
    private readonly realtime: RealtimeService,
    private readonly members: ChatMembers,
  ) {}

  @OnSubscribe()
  async join(
    @TopicParam('room') room: string,
    @TopicName() topic: string,
    @CurrentConnection() me: RealtimeConnection,
  ): Promise<boolean> {
    if (!ROOMS.get(room)?.(me)) return false;
    this.members.add(topic, me);
    await this.publishMembers(topic);
    return true;
  }

  @OnUnsubscribe()
  async leave(@TopicName() topic: string, @CurrentConnection() me: RealtimeConnection): Promise<void> {
    this.members.remove(topic, me);
    await this.publishMembers(topic);
  }

  /** For the newcomer, whose subscription began just after `join` had told the others. */
  @OnMessage('members')
  list(@TopicName() topic: string): { members: ChatMember[] } {
    return { members: this.members.list(topic) };
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

  private async publishMembers(topic: string): Promise<void> {
    await this.realtime.publish(topic, { type: 'members', payload: { members: this.members.list(topic) } });
  }
}
