import { Module } from '@nestjs/common';
import { RealtimeModule } from 'nestjs-realtime';
import { redisBackend } from 'nestjs-realtime/redis';
import { JWT_SECRET } from '../../01-notifications/src/auth/jwt-secret.js';
import { NotificationsModule } from '../../01-notifications/src/notifications.module.js';
import { ChatTopic } from './chat/chat.topic.js';
import { CursorTopic } from './chat/cursor.topic.js';
import { TypingTopic } from './chat/typing.topic.js';
import { NODES, REDIS_URL } from './environment.js';
import { NodeController } from './node/node.controller.js';

/** Sample 01 on many nodes: `backend` is what makes the difference. Its chat is another one, whose pages use an SDK. */
@Module({
  imports: [
    RealtimeModule.forRoot({
      path: '/ws',
      jwt: { secret: JWT_SECRET, algorithms: ['HS256'] },
      backend: redisBackend({ url: REDIS_URL, prefix: 'sample-02' }),
      // A page that came from one node goes on with another when the first is gone.
      allowedOrigins: NODES,
      centrifuge: true,
      // How long a page may take to come back before its user has left the room.
      presence: { graceMs: 5_000 },
    }),
    NotificationsModule,
  ],
  controllers: [NodeController],
  providers: [ChatTopic, CursorTopic, TypingTopic],
})
export class AppModule {}
