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

/** Public topics with presence, whose hooks are written down. The info of a user is the payload of the subscription. */
@TopicGateway('hall:{name}', { presence: true })
export class Halls {
  constructor(private readonly diary: Diary) {}

  @OnSubscribe()
  enter(@MessageBody() info: unknown): true | { readonly info: unknown } {
    return info === undefined ? true : { info };
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
