import { Module } from '@nestjs/common';
import { RealtimeModule } from 'nestjs-realtime';
import { JWT_SECRET } from './auth/jwt-secret.js';
import { ChatTopic } from './chat/chat.topic.js';
import { MetricsService } from './metrics/metrics.service.js';
import { NotificationsModule } from './notifications.module.js';

/** The whole application: `RealtimeModule` is the one import that makes it realtime. */
@Module({
  imports: [
    RealtimeModule.forRoot({ path: '/ws', jwt: { secret: JWT_SECRET, algorithms: ['HS256'] } }),
    NotificationsModule,
  ],
  providers: [ChatTopic, MetricsService],
})
export class AppModule {}
