import {
  MessageBody,
  OnJoin,
  OnLeave,
  OnSubscribe,
  TopicGateway,
  TopicName,
  type PresenceChange,
} from 'nestjs-realtime';
import { Diary } from './diary.js';

/** Public topics with presence, whose hooks are written down. */
@TopicGateway('hall:{name}', { presence: true })
export class Halls {
  constructor(private readonly diary: Diary) {}

  @OnSubscribe()
  enter(): boolean {
    return true;
  }

  @OnJoin()
  joined(@MessageBody() { userId }: PresenceChange, @TopicName() topic: string): void {
    this.diary.hook('joined', topic, userId);
  }

  @OnLeave()
  left(@MessageBody() { userId }: PresenceChange, @TopicName() topic: string): void {
    this.diary.hook('left', topic, userId);
  }
}
